import { describe, expect, test } from 'vitest';
import { SeededRandom } from './seeded-random.js';
import { SimulatedWorld } from './simulated-world.js';
import type { WorldProcess } from './world-process.js';

const limits = { untilMs: 60_000, picksMax: 100_000 };
const never = (): boolean => false;

/** Yields again and again, and counts. */
function counting({ env }: WorldProcess): { count: number } {
  const own = { count: 0 };
  const loop = async (): Promise<void> => {
    for (;;) {
      await env.scheduler.yield();
      own.count += 1;
    }
  };
  void loop();
  return own;
}

describe('random numbers', () => {
  test('of a fork do not depend on what was drawn elsewhere', () => {
    const one = new SeededRandom(5);
    const other = new SeededRandom(5);
    one.next();
    one.fork('disk').next();
    expect(one.fork('clock').next()).toBe(other.fork('clock').next());
    expect(one.fork('clock').next()).not.toBe(one.fork('disk').next());
    expect(new SeededRandom(6).next()).not.toBe(new SeededRandom(5).next());
  });

  test('are spread evenly', () => {
    const random = new SeededRandom(1);
    const buckets = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i += 1) buckets[random.whole(0, 9)]! += 1;
    expect(Math.min(...buckets)).toBeGreaterThan(850);
    expect(Math.max(...buckets)).toBeLessThan(1_150);
  });
});

describe('a world', () => {
  test('runs timers in the order of time, and jumps to the next one', async () => {
    const world = new SimulatedWorld({ seed: 1 });
    const { env } = world.start('p');
    const seen: string[] = [];
    env.scheduler.after(5_000, () => seen.push('late'));
    env.scheduler.after(20, () => seen.push('early'));
    env.scheduler.after(30, () => seen.push('never')).cancel();
    expect(await world.run(never, limits)).toBe('idle');
    expect(seen).toEqual(['early', 'late']);
    expect(world.nowMs).toBeGreaterThanOrEqual(5_000);
  });

  test('chooses among what is ready as its seed says', async () => {
    const orderOf = async (seed: number): Promise<string> => {
      const world = new SimulatedWorld({ seed });
      const order: number[] = [];
      for (let i = 0; i < 10; i += 1) world.after(`${i}`, 0, () => order.push(i));
      await world.run(never, limits);
      return `${order.join()} ${world.trace.hash}`;
    };
    expect(await orderOf(1)).toBe(await orderOf(1));
    expect(await orderOf(1)).not.toBe(await orderOf(2));
  });

  test('has nothing of a killed process run on', async () => {
    const world = new SimulatedWorld({ seed: 1 });
    const process = world.start('p');
    const own = counting(process);
    await world.run(() => own.count >= 10, limits);
    void process.env.storage.list('/a').then(() => expect.unreachable());
    process.env.scheduler.after(1, () => expect.unreachable());
    world.kill(process);
    const before = own.count;
    expect(await world.run(never, limits)).toBe('idle');
    expect(own.count).toBe(before);
    expect(process.pending).toBe(0);
  });

  test('lets time pass while a process is paused, which misses nothing', async () => {
    const world = new SimulatedWorld({ seed: 1 });
    const process = world.start('p');
    const seen: number[] = [];
    process.env.scheduler.after(10, () => seen.push(world.nowMs));
    process.pause();
    world.after('go on', 1_000, () => process.resume());
    await world.run(never, limits);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toBeGreaterThanOrEqual(1_000);
  });

  test('forgets what was not synced, when the power is cut', async () => {
    const world = new SimulatedWorld({ seed: 1 });
    const { storage } = world.start('p').env;
    let isWritten = false;
    const write = async (): Promise<void> => {
      await storage.makeFolder('/a');
      const file = await storage.create('/a/file');
      await file.write(new Uint8Array(1_000).fill(1), 0);
      isWritten = true;
    };
    void write();
    await world.run(() => isWritten, limits);
    world.powerCut({ next: () => 0 });
    expect(await world.disk.size('/a/file')).toBe(0);
  });

  test('fails with what nobody hears of', async () => {
    const world = new SimulatedWorld({ seed: 1 });
    counting(world.start('p'));
    world.after('reject', 1, () => void Promise.reject(new RangeError('unheard')));
    await expect(world.run(never, limits)).rejects.toThrow('unheard');
  });

  test('picks more than 20,000 things a second', async () => {
    const world = new SimulatedWorld({ seed: 1 });
    for (let i = 0; i < 5; i += 1) counting(world.start(`p${i}`));
    const begunMs = performance.now();
    await world.run(never, { ...limits, picksMax: 40_000 });
    expect(performance.now() - begunMs).toBeLessThan(2_000);
  });
});
