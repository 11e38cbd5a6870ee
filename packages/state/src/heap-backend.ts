import type {
  KeyedStateAccess,
  KeyTable,
  KeyTableSpec,
  StateBackend,
  StateDescriptor,
} from '@millrace/core/spi';
import { HeapKeyTable } from './heap-key-table.js';
import { HeapKeyedState } from './heap-keyed-state.js';

/** Keeps state in this process' memory. */
export class HeapBackend implements StateBackend {
  keyedState(
    _operatorId: string,
    descriptors: Readonly<Record<string, StateDescriptor>>,
  ): KeyedStateAccess {
    return new HeapKeyedState(descriptors);
  }

  keyTable(_operatorId: string, spec: KeyTableSpec): KeyTable {
    return new HeapKeyTable(spec);
  }
}
