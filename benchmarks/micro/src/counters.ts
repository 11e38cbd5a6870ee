import { HeapBackend } from '@millrace/state';
import { Bench } from 'tinybench';

/** Look-ups in one run of a task. */
const lookUps = 10_000;
const sizes = [10_000, 100_000, 1_000_000] as const;

/** Keys in an order that no cache foresees. */
function shuffledKeys(count: number): Int32Array {
  const keys = Int32Array.from({ length: lookUps }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0);
  return keys.map((key) => (key >>> 0) % count);
}

/** A counter for each integer key: rows of a table against a plain `Map`, as state grows. */
export async function counters(): Promise<void> {
  const bench = new Bench({ name: 'counters by integer key', time: 500, warmupTime: 200 });
  const groups = { first: 0, last: 255 };
  const backend = new HeapBackend({ groupCount: 256, groups });
  for (const size of sizes) {
    const table = backend.scratchTable({ numbers: [0], refs: [] });
    const map = new Map<number, { n: number }>();
    for (let key = 0; key < size; key += 1) {
      table.slot(key);
      map.set(key, { n: 0 });
    }
    const keys = shuffledKeys(size);
    bench.add(`table of ${size}`, () => {
      for (let i = 0; i < keys.length; i += 1) {
        const slot = table.slot(keys[i]!);
        table.numbers[slot]! += 1;
      }
    });
    bench.add(`Map of ${size}`, () => {
      for (let i = 0; i < keys.length; i += 1) map.get(keys[i]!)!.n += 1;
    });
  }
  await bench.run();
  const rows = bench.tasks.map(({ name, result }) => {
    const ms = 'latency' in result ? result.latency.p50 : Number.NaN;
    return { task: name, 'ns a look-up (median)': ((ms * 1e6) / lookUps).toFixed(1) };
  });
  console.table(rows);
}
