import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { defineJob, watermarks } from '@millrace/core';
import { aggregate, count, keyBy, sinkTo, tumbling, window } from '@millrace/operators';
import { run } from '@millrace/runtime';
import { GcPauses, type Interval } from '../bench/gc-pauses.js';
import { Feed } from '../engine/feed.js';
import { batchEventsMax } from '../input.js';

/** What a key and its row cost while its window is open. */
interface MemoryFigures {
  readonly keys: number;
  /** Heap and external memory per key, beyond the 8 bytes of a bare accumulator. */
  readonly bytesPerKey: number;
  readonly gcTotalMs: number;
  readonly gcMaxMs: number;
  readonly loadMs: number;
}

const kinds: Readonly<Record<string, (n: number) => number | string>> = {
  // Distinct for all n of 31 bits, and not in order.
  integer: (n) => Math.imul(n, 0x9e3779b1) & 0x7fffffff,
  string: (n) => `user-${Math.imul(n, 0x9e3779b1) & 0x7fffffff}`,
};

/** `memory`: what many live keys of a tumbling window with a count take. */
export async function memoryCommand(keys: number): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (const [kind, keyOf] of Object.entries(kinds)) {
    const { bytesPerKey, loadMs, gcTotalMs, gcMaxMs } = await measureKeys(keys, keyOf, collect);
    console.log(
      `${keys} ${kind} keys: ${bytesPerKey.toFixed(1)} bytes a key; ` +
        `loaded in ${loadMs.toFixed(0)} ms, gc ${gcTotalMs.toFixed(1)} ms, ` +
        `longest ${gcMaxMs.toFixed(1)} ms`,
    );
    const figures: MemoryFigures = { keys, bytesPerKey, gcTotalMs, gcMaxMs, loadMs };
    console.log(JSON.stringify({ kind, ...figures }));
  }
}

async function measureKeys(
  keys: number,
  keyOf: (n: number) => number | string,
  collect: () => void,
): Promise<MemoryFigures> {
  const source = new Feed<number | string>();
  const job = run(countJob(source), { checkRecords: 'off' });
  const pauses = new GcPauses();
  await load(source, 1, keyOf);
  const before = usedBytes(collect);
  const from = performance.now();
  await load(source, keys, keyOf);
  const loading: Interval = { from, to: performance.now() };
  const bytes = usedBytes(collect) - before - keys * Float64Array.BYTES_PER_ELEMENT;
  const { totalMs, maxMs } = await pauses.during([loading]);
  pauses.close();
  await job.cancel();
  return {
    keys,
    bytesPerKey: bytes / keys,
    gcTotalMs: totalMs,
    gcMaxMs: maxMs,
    loadMs: loading.to - loading.from,
  };
}

function countJob(source: Feed<number | string>) {
  const strategy = watermarks<number | string>(undefined, { farFuture: 'off' });
  return defineJob('live-keys', {}, (job) => {
    job.source('keys', source, strategy).pipe(
      keyBy((key) => key),
      window('count', tumbling('1h')),
      aggregate({ n: count() }),
      sinkTo('none', {
        type: 'none',
        guarantee: 'at-most-once',
        createWriter: () => ({ write: () => undefined }),
      }),
    );
  });
}

/** Feeds each key once, in batches that nobody keeps. */
async function load(
  source: Feed<number | string>,
  keys: number,
  keyOf: (n: number) => number | string,
): Promise<void> {
  for (let first = 0; first < keys; first += batchEventsMax) {
    const count = Math.min(batchEventsMax, keys - first);
    const values = Array.from({ length: count }, (_, i) => keyOf(first + i));
    await source.push([{ values, timestamps: new Float64Array(count), count }]);
  }
}

function usedBytes(collect: () => void): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
