import { MillraceError } from '@millrace/core';
import type { StateDescriptor } from '@millrace/core/spi';
import type { CellKind } from './cell-kind.js';
import type { Expiry } from './expiry.js';
import { listKind } from './list-kind.js';
import { HeapMapState, HeapSortedMapState } from './map-handles.js';
import { mapKind } from './map-kind.js';
import {
  type HandleParts,
  HeapFoldingState,
  HeapListState,
  HeapValueState,
  reduction,
} from './state-handles.js';
import { valueKind } from './value-kind.js';

/** How the cells of a declared state are written and read. */
export function kindOf(
  descriptor: StateDescriptor,
  expiry: Expiry | undefined,
  tracking: 'tracked' | 'untracked',
): CellKind {
  switch (descriptor.kind) {
    case 'value':
    case 'reducing':
    case 'aggregating':
      return valueKind(descriptor, expiry);
    case 'list':
      return listKind(descriptor, expiry);
    case 'map':
    case 'sortedMap':
      return mapKind(descriptor, expiry, tracking);
    default:
      throw notKeyed(descriptor);
  }
}

/** The handle that authors use of a declared state. */
export function handleOf(parts: HandleParts): unknown {
  const { descriptor } = parts;
  switch (descriptor.kind) {
    case 'value':
      return new HeapValueState(parts);
    case 'reducing':
      return new HeapFoldingState(parts, reduction(descriptor.reduce as never));
    case 'aggregating':
      return new HeapFoldingState(parts, descriptor.aggregation as never);
    case 'list':
      return new HeapListState(parts);
    case 'map':
      return new HeapMapState(parts);
    case 'sortedMap':
      return new HeapSortedMapState(parts);
    default:
      throw notKeyed(descriptor);
  }
}

function notKeyed({ kind }: StateDescriptor): MillraceError {
  return new MillraceError('ERR_STATE_UNDECLARED', `${kind} state is not kept for each key`);
}
