import { collectSink, fromIterable } from '@millrace/connectors';
import { defineJob, MillraceError } from '@millrace/core';
import { partitionBy, sinkTo } from '@millrace/operators';
import { FrameKind, type Lane, LocalLanes, startJob } from '@millrace/runtime/internal';
import { virtualEnv } from '@millrace/testing';
import { expect, test } from 'vitest';

const numbers = Array.from({ length: 50 }, (_, n) => n);

const job = defineJob('lost-end', {}, (b) => {
  b.source(
    'numbers',
    fromIterable(() => numbers),
  ).pipe(
    partitionBy((n: number, slots) => n % slots),
    sinkTo('rows', collectSink<number>()),
  );
});

test('a slot that waits for what a finished one could not deliver fails with that', async () => {
  const env = virtualEnv();
  const broken = new MillraceError('ERR_LINK_STALLED', 'nothing arrives any more');
  const lanes = (): Pick<LocalLanes, 'of'> => {
    const inner = new LocalLanes(env);
    return {
      of: (slot) => (other, listener) => {
        const lane = inner.of(slot)(other, listener);
        const send = (frame: Uint8Array<ArrayBuffer>): void => {
          if (slot === 0 && frame[0] === FrameKind.close)
            env.scheduler.after(500, () => listener.onFailure(broken));
          else lane.send(frame);
        };
        return { hasRoom: true, send, close: () => lane.close() } satisfies Lane;
      },
    };
  };
  const running = startJob(job.build(), { env, slots: 2, restart: { kind: 'none' } }, { lanes });
  let outcome: unknown;
  running.done.then(
    () => {
      outcome = 'finished';
    },
    (error: unknown) => {
      outcome = error;
    },
  );
  for (let turn = 0; turn < 1_000 && outcome === undefined; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    env.advance(1);
  }
  expect(outcome).toMatchObject({ code: 'ERR_LINK_STALLED' });
});
