import { fromArray } from '@millrace/connectors';
import { defineJob, type OnError, watermarks } from '@millrace/core';
import { keyBy, reduce, sinkTo, sliding, window } from '@millrace/operators';
import { startJob } from '@millrace/runtime/internal';
import { MemorySpillStore } from '@millrace/state';
import { RecordingSink, SimulatedDisk, virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';

interface Rec {
  readonly key: string;
  readonly at: number;
  readonly v: number;
}

interface Row {
  readonly key: string;
  readonly window: { readonly start: number };
  readonly value: Rec;
}

const rec = (key: string, at: number, v: number): Rec => ({ key, at, v });

// In [0, 10) the slices of `b` come to 13.
const records = [rec('a', 1, 1), rec('b', 2, 10), rec('b', 7, 3), rec('a', 8, 5)];
const unlucky = 13;

const scratch = {
  open: () => ({ store: new MemorySpillStore(), remove: async () => undefined }),
  remove: async () => undefined,
};

async function sums(backend: 'heap' | 'level', onError: OnError, failuresMax = Infinity) {
  const sink = new RecordingSink<Row>();
  let failures = 0;
  const combine = (x: Rec, y: Rec): Rec => {
    if (x.v + y.v === unlucky && failures < failuresMax) {
      failures += 1;
      throw new RangeError('unlucky');
    }
    return { ...x, v: x.v + y.v };
  };
  const job = defineJob('merges', {}, (builder) => {
    builder
      .source(
        'in',
        fromArray(records),
        watermarks((r) => r.at, { outOfOrderness: 100, farFuture: 'off' }),
      )
      .pipe(
        keyBy((r) => r.key),
        window('w', sliding(10, 5), { onError }),
        reduce(combine),
        sinkTo('out', sink),
      );
  });
  const env = virtualEnv({ storage: new SimulatedDisk().process('merges'), seed: 1 });
  const handle = startJob(
    job.build(),
    {
      env,
      checkpoints: { folder: '/checkpoints', interval: '10s', minPause: '200ms' },
      backend,
      restart: { kind: 'none' },
    },
    { scratch },
  );
  let isOver = false;
  const over = handle.done.finally(() => {
    isOver = true;
  });
  over.catch(() => undefined);
  for (let i = 0; i < 300 && !isOver; i += 1) {
    env.advance(20);
    for (let turn = 0; turn < 6; turn += 1) await new Promise((done) => setImmediate(done));
  }
  await over;
  return sink.records.map(({ value: r }) => `${r.key} ${r.window.start} ${r.value.v}`).sort();
}

describe.each(['heap', 'level'] as const)('slices that cannot be merged, backend %s', (backend) => {
  const others = ['a -5 1', 'a 0 6', 'a 5 5', 'b -5 10', 'b 5 3'];

  test('fail: the error is the function’s', async () => {
    await expect(sums(backend, 'fail')).rejects.toMatchObject({
      code: 'ERR_FUNCTION_THREW',
      operator: 'w',
    });
  });

  test('skip: the other keys have their results', async () => {
    expect(await sums(backend, 'skip')).toEqual(others);
  });

  test('retry: merged again', async () => {
    const all = [...others, 'b 0 13'].sort();
    expect(await sums(backend, { action: 'retry', attempts: 4 }, 3)).toEqual(all);
  });
});
