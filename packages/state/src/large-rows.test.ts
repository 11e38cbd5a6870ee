import type { ListState, MapState, OperatorListState, ValueState } from '@millrace/core/spi';
import { describe, expect, test } from 'vitest';
import type { BlockSink } from './block-builder.js';
import { HeapBackend } from './heap-backend.js';
import { stateLimits } from './limits.js';

const time = { recordMs: () => 0, watermarkMs: () => 0, processingMs: () => 0 };
const rows = 100;
const large = 'x'.repeat(50_000);
const newBackend = (): HeapBackend =>
  new HeapBackend({ tracking: 'tracked', groupCount: 8, groups: { first: 0, last: 7 } });

/** A state filled with large values. */
type Fill = (backend: HeapBackend) => void;

function keyed<H>(kind: 'value' | 'list' | 'map', fill: (handle: H, row: number) => void): Fill {
  return (backend) => {
    const state = backend.keyedState('operator', { state: { kind, version: 1 } }, time);
    for (let row = 0; row < rows; row += 1) {
      state.setKey(row);
      fill(state.handles.state as H, row);
    }
  };
}

function unkeyed<H>(kind: 'operatorList' | 'broadcast', fill: (handle: H, row: number) => void) {
  return (backend: HeapBackend): void => {
    const { handles } = backend.operatorState('operator', { state: { kind, version: 1 } });
    for (let row = 0; row < rows; row += 1) fill(handles.state as H, row);
  };
}

const states: readonly (readonly [string, Fill])[] = [
  ['values', keyed<ValueState<string>>('value', (value) => value.set(large))],
  ['lists', keyed<ListState<string>>('list', (list) => list.add(large))],
  ['maps', keyed<MapState<number, string>>('map', (map, row) => map.set(row, large))],
  ['elements', unkeyed<OperatorListState<string>>('operatorList', (list) => list.add(large))],
  ['entries', unkeyed<MapState<number, string>>('broadcast', (map, row) => map.set(row, large))],
  [
    'rows of a table',
    (backend) => {
      const spec = { numbers: [], refs: [() => large], shape: '', namespaceLength: 0 };
      const table = backend.keyTables('operator', 'state', spec).open();
      for (let row = 0; row < rows; row += 1) table.slot(row);
    },
  ],
];

/** What a snapshot writes: bytes of each block, and of each step. */
function written(backend: HeapBackend) {
  const blocks: number[] = [];
  const steps: number[] = [];
  let step = 0;
  const sink: BlockSink = {
    layout: () => 0,
    drop: () => undefined,
    add(_layout, _kind, _namespace, { count, blobs }) {
      const bytes = blobs.reduce((sum, { ends }) => sum + ends[count - 1]!, 0);
      blocks.push(bytes);
      step += bytes;
    },
  };
  backend.freeze('operator');
  for (let isMore = true; isMore; step = 0) {
    isMore = backend.step(sink, 1_024) === 'more';
    steps.push(step);
  }
  return { blocks, steps };
}

describe('blocks and steps of a snapshot are bounded in bytes as well', () => {
  test.each(states)('%s', (_name, fill) => {
    const backend = newBackend();
    fill(backend);
    const { blocks, steps } = written(backend);
    const bytesMax = stateLimits.blockBlobBytes + 2 * large.length;
    expect(blocks.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(rows * large.length);
    expect(Math.max(...blocks)).toBeLessThan(bytesMax);
    // What a step before has left comes with it.
    expect(Math.max(...steps)).toBeLessThan(2 * bytesMax);
  });
});
