import { generator } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import { keyBy, keyedProcess, map, sinkTo, type } from '@millrace/operators';
import { driveJob, ManualSource, RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { diskForJobs, pass, start } from './durable-rig.js';

const byTime = watermarks((n: number) => n, { farFuture: 'off' });
const good = 1;
const bad = 13;
const refuseBad = (n: number): number => {
  if (n === bad) throw new RangeError('unlucky');
  return n;
};

describe('the ceiling goes by the records of the last minute', () => {
  const drive = () =>
    driveJob(
      defineJob('ceiling', {}, (job) => {
        job
          .source('in', new ManualSource<number>(), byTime)
          .pipe(map(refuseBad, { id: 'map', onError: 'skip' }), sinkTo('out', new RecordingSink()));
      }),
    );
  const some = (count: number, value: number) => new Array<number>(count).fill(value);

  test('what went well an hour ago hides nothing', async () => {
    const driver = await drive();
    await driver.send('in', some(20_000, good));
    await driver.advanceTime(3_600_000);
    const failed = driver.send('in', some(1_000, bad));
    await expect(failed.then(() => driver.finish())).rejects.toMatchObject({
      code: 'ERR_ERROR_CEILING',
      operator: 'map',
    });
  });

  test('failures are judged with the minute ahead of them, not with what comes behind', async () => {
    const driver = await drive();
    for (let minute = 0; minute < 5; minute += 1) {
      await driver.send('in', some(minute === 0 ? 1_000 : 0, good));
      for (let n = 0; n < 20; n += 1) await driver.send('in', [bad, ...some(6, good)]);
      await driver.send('in', some(2_000, good));
      await driver.advanceTime(31_000);
    }
    await driver.finish();
    expect(driver.values('out')).toHaveLength(1_000 + 5 * (20 * 6 + 2_000));
  });
});

describe('the ceiling goes by the records of each subtask', () => {
  const total = 20_000;
  const numbers = generator({
    seed: 1,
    count: total,
    splits: 1,
    ratePerSecond: 2_000,
    create: (n) => n,
  });

  /** How many records came out of an operator of which keys or records fail. */
  async function run(options: {
    readonly keyOf: (n: number) => number;
    readonly process: (n: number) => void;
    readonly slots: number;
    readonly parallelism?: number;
  }) {
    const { keyOf, process, slots, parallelism } = options;
    const out = new RecordingSink<unknown>();
    const job = defineJob('shares', {}, (builder) => {
      builder.source('numbers', numbers, byTime, { parallelism: 1 }).pipe(
        keyBy(keyOf),
        keyedProcess('p', {
          output: type<number>(),
          onError: 'skip',
          parallelism,
          process(n: number, context) {
            process(n);
            context.emit(n);
          },
        }),
        sinkTo('out', out),
      );
    });
    const started = start(await diskForJobs(), job, { slots, restart: { kind: 'none' } });
    await pass(started);
    await started.handle.done;
    return out.records.length;
  }

  test.each([0, 1, 2, 3])(
    'keys that fail where no record of the operator is: key %i',
    async (key) => {
      const keyOf = (n: number): number => {
        if (n % 50 === 0) throw new RangeError('no key');
        return key;
      };
      expect(await run({ keyOf, process: () => undefined, slots: 2 })).toBe(total - total / 50);
    },
  );

  test('a subtask that fails beside others that do not', async () => {
    const process = (n: number): void => {
      if (n % 8 === 0 && n % 16 === 0) throw new RangeError('no');
    };
    const failed = run({ keyOf: (n) => n % 8, process, slots: 1, parallelism: 8 });
    await expect(failed).rejects.toMatchObject({ code: 'ERR_ERROR_CEILING' });
  });
});
