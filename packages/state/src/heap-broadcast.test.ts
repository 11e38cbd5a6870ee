import { readFileSync } from 'node:fs';
import type { BroadcastState, Key } from '@millrace/core/spi';
import { describe, expect, test } from 'vitest';
import { HeapBackend } from './heap-backend.js';
import { joined } from './segment/plain-segment.js';
import { readBlocks, readSegmentIndex } from './segment/segment-reader.js';
import { SegmentWriter } from './segment/segment-writer.js';

const read = (name: string): Buffer =>
  readFileSync(new URL(`../golden/broadcast-v1.${name}`, import.meta.url));

const groups = { first: 64, last: 127 };

function rulesOf() {
  const backend = new HeapBackend({ tracking: 'tracked', groupCount: 256, groups });
  const { handles } = backend.operatorState('check', { rules: { kind: 'broadcast', version: 1 } });
  return { backend, rules: handles.rules as BroadcastState<Key, unknown> };
}

async function load(backend: HeapBackend, segment: Uint8Array): Promise<void> {
  const bytes = async (from: number, length: number) => segment.slice(from, from + length);
  const index = await readSegmentIndex(bytes, segment.length);
  for await (const block of readBlocks(index, bytes, groups)) {
    backend.load(index.layouts[block.layout]!, block);
  }
}

function snapshot(backend: HeapBackend, rowsMax: number): Uint8Array {
  backend.freeze('check');
  const writer = new SegmentWriter();
  const sink = {
    layout: (...args: Parameters<SegmentWriter['layout']>) => writer.layout(...args),
    add: (...args: Parameters<SegmentWriter['add']>) => writer.add(...args),
    drop: (layout: number, namespace: readonly number[]) => writer.add(layout, 'drop', namespace),
  };
  while (backend.step(sink, rowsMax) === 'more');
  writer.finish();
  return joined(writer.takeChunks());
}

// Golden files are made by hand, once: see scripts/make-golden-broadcast.mjs.
describe('the golden snapshot of broadcast state', () => {
  const golden = new Uint8Array(read('bin'));

  test('is restored as it was', async () => {
    const { backend, rules } = rulesOf();
    await load(backend, golden);
    expect([...rules.entries()]).toEqual(JSON.parse(read('json').toString()));
  });

  test('would be written the same', async () => {
    const { backend } = rulesOf();
    await load(backend, golden);
    backend.abandon();
    expect(snapshot(backend, 100)).toEqual(golden);
  });
});

test('memory is told as entries come and go', () => {
  const { backend, rules } = rulesOf();
  expect(backend.bytesOf('check')).toBe(0);
  for (let key = 0; key < 1_000; key += 1) rules.set(key, key);
  const full = backend.bytesOf('check');
  expect(full).toBeGreaterThan(50_000);
  for (let key = 0; key < 900; key += 1) rules.delete(key);
  expect(backend.bytesOf('check')).toBe(full / 10);
});
