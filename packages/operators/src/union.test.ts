import { defineJob, watermarks } from '@millrace/core';
import { driveJob, ManualSource, RecordingSink } from '@millrace/testing';
import { expect, test } from 'vitest';
import { map, sinkTo, union } from './index.js';

const byTime = watermarks<number>((n) => n, { step: 1, farFuture: 'off' });

const job = defineJob('union', {}, (builder) => {
  const right = builder.source('right', new ManualSource<number>(), byTime);
  builder.source('left', new ManualSource<number>(), byTime).pipe(
    map((n) => n),
    union(right),
    sinkTo('out', new RecordingSink()),
  );
});

test('union: all records of both, each in its order, at their own times', async () => {
  const driver = await driveJob(job);
  await driver.send('left', [1, 2]);
  await driver.send('right', [10, 20]);
  await driver.send('left', [3]);
  const { metrics } = await driver.finish();
  const values = driver.values<number>('out');
  expect(values.filter((n) => n < 10)).toEqual([1, 2, 3]);
  expect(values.filter((n) => n >= 10)).toEqual([10, 20]);
  expect(driver.records('out').every(({ value, timestamp }) => value === timestamp)).toBe(true);
  expect(metrics.operators['left/map/union']).toMatchObject({ numRecordsIn: 5, numRecordsOut: 5 });
});

test('union: the watermark is the lower of the two, and goes on when one has ended', async () => {
  const driver = await driveJob(job);
  const watermark = (): number => driver.metrics().operators.out!.currentInputWatermark!;
  await driver.send('left', [50]);
  expect(watermark()).toBe(-Infinity);
  await driver.send('right', [10]);
  expect(watermark()).toBe(10);
  await driver.send('right', [70]);
  expect(watermark()).toBe(50);
  await driver.end('left');
  expect(watermark()).toBe(70);
  await driver.finish();
});
