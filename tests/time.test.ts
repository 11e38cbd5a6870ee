import {
  customWatermarks,
  defineJob,
  punctuatedWatermarks,
  type WatermarkStrategy,
  watermarks,
} from '@millrace/core';
import {
  aggregate,
  count,
  filter,
  keyBy,
  map,
  sinkTo,
  tumbling,
  union,
  window,
} from '@millrace/operators';
import { driveJob, ManualSource, RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';

interface Tick {
  readonly at: number;
  readonly mark?: number;
}

const tick = (at: number): Tick => ({ at });
const source = new ManualSource<Tick>();

/** Counts ticks of one or two sources in windows of 10 ms. */
const countJob = (left: WatermarkStrategy<Tick>, right?: WatermarkStrategy<Tick>) =>
  defineJob('time', {}, (job) => {
    const a = job.source('a', source, left).pipe(map((t) => t));
    const both =
      right === undefined ? a : a.pipe(union(job.source('b', source, right).pipe(map((t) => t))));
    both.pipe(
      keyBy(() => 'all'),
      window('w', tumbling(10)),
      aggregate({ n: count() }),
      map((w) => `${w.window.start}: ${w.n}`),
      sinkTo('out', new RecordingSink()),
    );
  });

const byTime = watermarks((t: Tick) => t.at, { step: 1 });

describe('watermark strategies', () => {
  test('bounded: a window closes when the newest record is the bound beyond it', async () => {
    const job = countJob(watermarks((t) => t.at, { outOfOrderness: 5, step: 1 }));
    const driver = await driveJob(job);
    await driver.send('a', [tick(3), tick(14), tick(2)]);
    expect(driver.values('out')).toEqual([]);
    await driver.send('a', [tick(15)]);
    expect(driver.values('out')).toEqual(['0: 2']);
  });

  test('the step says where watermarks may stand, whatever the chunks are', async () => {
    const job = countJob(watermarks((t) => t.at, { step: 100 }));
    const driver = await driveJob(job);
    await driver.send('a', [tick(3), tick(15), tick(99)]);
    expect(driver.values('out')).toEqual([]);
    await driver.send('a', [tick(101)]);
    expect(driver.values('out')).toEqual(['0: 1', '10: 1', '90: 1']);
  });

  test('punctuated: records say how far time has come', async () => {
    const driver = await driveJob(
      countJob(
        punctuatedWatermarks(
          (t) => t.at,
          (t) => t.mark,
        ),
      ),
    );
    await driver.send('a', [tick(3), tick(50)]);
    expect(driver.values('out')).toEqual([]);
    await driver.send('a', [{ at: 4, mark: 10 }]);
    expect(driver.values('out')).toEqual(['0: 2']);
  });

  test('custom: a generator of the author’s own', async () => {
    const everySecond = (): { onRecord: (v: Tick, t: number) => void; current: () => number } => {
      const times: number[] = [];
      return {
        onRecord: (_value, time) => times.push(time),
        current: () => times.at(-2) ?? -Infinity,
      };
    };
    const driver = await driveJob(
      countJob(customWatermarks((t) => t.at, everySecond, { step: 1 })),
    );
    await driver.send('a', [tick(3), tick(12)]);
    expect(driver.values('out')).toEqual([]);
    await driver.send('a', [tick(13)]);
    expect(driver.values('out')).toEqual(['0: 1']);
  });

  test('times before 1970 are times like others', async () => {
    const driver = await driveJob(countJob(byTime));
    await driver.send('a', [tick(-12), tick(-3), tick(5)]);
    await driver.finish();
    expect(driver.values('out')).toEqual(['-20: 1', '-10: 1', '0: 1']);
  });
});

describe('idleness', () => {
  const idle = watermarks((t: Tick) => t.at, { step: 1, idleAfter: '1s' });

  test('a silent source holds windows up until it is idle', async () => {
    const driver = await driveJob(countJob(idle, idle));
    await driver.send('a', [tick(3), tick(20)]);
    expect(driver.values('out')).toEqual([]);
    await driver.advanceTime(999);
    expect(driver.values('out')).toEqual([]);
    // `a` gives records meanwhile, so that only `b` becomes idle.
    await driver.send('a', [tick(21)]);
    await driver.advanceTime(1);
    expect(driver.values('out')).toEqual(['0: 1']);
  });

  test('a source that comes back is waited for again', async () => {
    const driver = await driveJob(countJob(idle, idle));
    await driver.send('a', [tick(3)]);
    await driver.advanceTime(999);
    await driver.send('a', [tick(25)]);
    await driver.advanceTime(1);
    await driver.send('b', [tick(22)]);
    await driver.send('a', [tick(60)]);
    expect(driver.values('out')).toEqual(['0: 1']);
    await driver.send('b', [tick(60)]);
    expect(driver.values('out')).toEqual(['0: 1', '20: 2']);
  });

  test('a source that comes back is waited for, though a filter drops its first record', async () => {
    const job = defineJob('dropped', {}, (builder) => {
      const drops = filter((t: Tick) => t.mark === undefined);
      const a = builder.source('a', source, idle).pipe(drops);
      const b = builder.source('b', source, idle).pipe(drops);
      a.pipe(
        union(b),
        keyBy(() => 'all'),
        window('w', tumbling(10)),
        aggregate({ n: count() }),
        map((w) => `${w.window.start}: ${w.n}`),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driveJob(job);
    await driver.send('b', [tick(3)]);
    await driver.send('a', [tick(4)]);
    await driver.advanceTime(999);
    await driver.send('a', [tick(25)]);
    await driver.advanceTime(1);
    expect(driver.values('out')).toEqual(['0: 2']);
    await driver.send('b', [{ at: 3, mark: 3 }]);
    await driver.send('a', [tick(60)]);
    await driver.send('b', [tick(26)]);
    expect(driver.metrics().operators.w!.numLateRecordsDropped ?? 0).toBe(0);
    await driver.send('b', [tick(60)]);
    expect(driver.values('out')).toEqual(['0: 2', '20: 2']);
  });

  test('all idle, policy hold: time stands still', async () => {
    const driver = await driveJob(countJob(watermarks((t) => t.at, { step: 100, idleAfter: 10 })));
    await driver.send('a', [tick(3), tick(40)]);
    await driver.advanceTime(1_000);
    expect(driver.values('out')).toEqual([]);
  });
});

describe('alignment', () => {
  test('a fast source waits for the slowest of its group', async () => {
    const aligned = watermarks((t: Tick) => t.at, {
      step: 1,
      align: { group: 'g', maxDrift: 100 },
    });
    const driver = await driveJob(countJob(aligned, aligned), { cuts: () => 1 });
    const fast = Array.from({ length: 50 }, (_, i) => tick(i * 20));
    await driver.send('b', [tick(0)]);
    await driver.send('a', fast);
    const read = driver.metrics().operators.a!.numRecordsIn!;
    expect(read).toBeLessThan(10);
    await driver.send('b', [tick(900)]);
    expect(driver.metrics().operators.a!.numRecordsIn).toBe(50);
  });

  test('nobody waits for a source of the group that has become idle', async () => {
    const aligned = watermarks((t: Tick) => t.at, {
      step: 1,
      idleAfter: '1s',
      align: { group: 'g', maxDrift: 100 },
    });
    const driver = await driveJob(countJob(aligned, aligned), { cuts: () => 1 });
    await driver.send('b', [tick(0)]);
    const fast = Array.from({ length: 50 }, (_, i) => tick(i * 20));
    await driver.send('a', fast);
    const read = (): number => driver.metrics().operators.a!.numRecordsIn!;
    await driver.advanceTime(999);
    expect(read()).toBeLessThan(10);
    await driver.advanceTime(1);
    expect(read()).toBe(50);
  });
});
