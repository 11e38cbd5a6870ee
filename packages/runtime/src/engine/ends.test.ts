import { defineJob, type Stream } from '@millrace/core';
import type { Sink, SinkWriter } from '@millrace/core/spi';
import {
  aggregate,
  count,
  filter,
  flatMap,
  fork,
  keyBy,
  keyedProcess,
  map,
  process,
  sinkTo,
  tumbling,
  type,
  window,
} from '@millrace/operators';
import { run } from '@millrace/runtime';
import { driveJob, ManualSource, RecordingSink, virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';

/** A sink whose writer notes its calls; `own` replaces some of them. */
function noting(log: string[], own: Partial<SinkWriter> = {}): Sink<unknown> {
  return {
    type: 'noting',
    guarantee: 'at-most-once',
    createWriter: () => ({
      open: async () => void log.push('open'),
      write: (batch) => void log.push(`write ${batch.count}`),
      finish: async () => void log.push('finish'),
      close: async () => void log.push('close'),
      ...own,
    }),
  };
}

function start(sink: Sink<unknown>, signal?: AbortSignal) {
  const source = new ManualSource<number>();
  const job = defineJob('ends', {}, (builder) => {
    builder.source('in', source).pipe(sinkTo('out', sink));
  });
  return { source, running: run(job, { env: virtualEnv(), signal }) };
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

const broken = (): never => {
  throw new Error('disk full');
};

describe('a job that ends', () => {
  test('opens, writes, finishes and closes its sink, in this order', async () => {
    const log: string[] = [];
    const { source, running } = start(noting(log));
    source.send([{ value: 1 }, { value: 2 }]);
    source.end();
    await expect(running.done).resolves.toMatchObject({ status: 'finished' });
    expect(log).toEqual(['open', 'write 2', 'finish', 'close']);
    expect(running.progress()).toMatchObject({ status: 'finished', recordsIn: 2, recordsOut: 2 });
  });

  test('without a record finishes its sink, too', async () => {
    const log: string[] = [];
    const { source, running } = start(noting(log));
    source.end();
    await running.done;
    expect(log).toEqual(['open', 'finish', 'close']);
  });

  test('one write at a time: the next comes after the promise of the last', async () => {
    const log: string[] = [];
    let release = (): void => undefined;
    const { source, running } = start(
      noting(log, {
        write: (batch) => {
          log.push(`begin ${batch.count}`);
          return new Promise((resolve) => {
            release = resolve;
          });
        },
      }),
    );
    source.send([{ value: 1 }]);
    await turns();
    source.send([{ value: 2 }, { value: 3 }]);
    source.end();
    await turns();
    expect(log).toEqual(['open', 'begin 1']);
    release();
    await turns();
    expect(log).toEqual(['open', 'begin 1', 'begin 2']);
    release();
    await running.done;
    expect(log.slice(3)).toEqual(['finish', 'close']);
  });
});

describe('cancelling', () => {
  test('closes sinks without finishing them; done says so', async () => {
    const log: string[] = [];
    const { source, running } = start(noting(log));
    source.send([{ value: 1 }]);
    await turns();
    await running.cancel();
    await expect(running.done).resolves.toMatchObject({ status: 'cancelled' });
    expect(log).toEqual(['open', 'write 1', 'close']);
    expect(running.progress().status).toBe('cancelled');
  });

  test('twice is once; after the end it changes nothing', async () => {
    const log: string[] = [];
    const { source, running } = start(noting(log));
    await Promise.all([running.cancel(), running.cancel()]);
    expect(log).toEqual(['open', 'close']);
    const other = start(noting([]));
    other.source.end();
    await other.running.done;
    await other.running.cancel();
    expect(other.running.progress().status).toBe('finished');
    source.end();
  });

  test('by a signal, also one that was aborted before the start', async () => {
    const controller = new AbortController();
    const { running } = start(noting([]), controller.signal);
    await turns();
    controller.abort();
    await expect(running.done).resolves.toMatchObject({ status: 'cancelled' });
    const log: string[] = [];
    const late = start(noting(log), controller.signal);
    await expect(late.running.done).resolves.toMatchObject({ status: 'cancelled' });
    expect(log).not.toContain('finish');
  });

  // The writer is closed at once, though its contract says: one call at a time.
  test('a writer is not closed before the promise of its last write has settled', async () => {
    const log: string[] = [];
    let release = (): void => undefined;
    const write = (): Promise<void> =>
      new Promise((resolve) => {
        release = () => {
          log.push('written');
          resolve();
        };
      });
    const { source, running } = start(noting(log, { write }));
    source.send([{ value: 1 }]);
    await turns();
    const cancelled = running.cancel();
    await turns();
    release();
    await cancelled;
    expect(log).toEqual(['open', 'written', 'close']);
  });
});

/** A writer whose first write waits for a destination that is away, until it is cancelled. */
function waiting(log: string[]): Partial<SinkWriter> {
  let giveUp: (why: Error) => void = () => undefined;
  return {
    write: () =>
      new Promise((_, reject) => {
        giveUp = reject;
      }),
    cancel: () => {
      log.push('cancel');
      giveUp(new Error('nobody waits any more'));
    },
  };
}

describe('a sink that waits for its destination', () => {
  test('ends with a job that is cancelled', async () => {
    const log: string[] = [];
    const { source, running } = start(noting(log, waiting(log)));
    source.send([{ value: 1 }]);
    await turns();
    running.cancel();
    await turns();
    expect(log).toEqual(['open', 'cancel', 'close']);
    await expect(running.done).resolves.toMatchObject({ status: 'cancelled' });
  });

  test('ends with a job that another operator fails, with what that one says', async () => {
    const log: string[] = [];
    const source = new ManualSource<number>();
    const job = defineJob('ends', {}, (builder) => {
      const numbers = builder.source('in', source);
      numbers.pipe(sinkTo('out', noting(log, waiting(log))));
      numbers.pipe(
        filter((n) => (n === 2 ? broken() : true), { id: 'x' }),
        sinkTo('other', noting([])),
      );
    });
    const { done } = run(job, { env: virtualEnv() });
    const failed = expect(done).rejects.toMatchObject({ operator: 'x' });
    source.send([{ value: 1 }]);
    await turns();
    source.send([{ value: 2 }]);
    await turns();
    expect(log).toEqual(['open', 'cancel', 'close']);
    await failed;
  });

  test('is waited for where the job has come to its end', async () => {
    const log: string[] = [];
    let flushed = (): void => undefined;
    const { source, running } = start(
      noting(log, {
        flush: () =>
          new Promise((resolve) => {
            log.push('flush');
            flushed = resolve;
          }),
        finish: undefined as never,
        cancel: () => void log.push('cancel'),
      }),
    );
    source.send([{ value: 1 }]);
    source.end();
    await turns();
    expect(log).toEqual(['open', 'write 1', 'flush']);
    flushed();
    await expect(running.done).resolves.toMatchObject({ status: 'finished' });
    expect(log).toEqual(['open', 'write 1', 'flush', 'close']);
  });

  test('is not cancelled when nothing of it is under way', async () => {
    const log: string[] = [];
    const { running } = start(noting(log, waiting(log)));
    await running.cancel();
    expect(log).toEqual(['open', 'close']);
  });
});

describe('a sink that fails', () => {
  test.each<[string, Partial<SinkWriter>, boolean]>([
    ['open rejects', { open: async () => broken() }, true],
    ['write throws', { write: broken }, true],
    ['write rejects', { write: async () => broken() }, true],
    ['flush rejects', { flush: async () => broken() }, true],
    ['finish rejects', { finish: async () => broken() }, true],
    ['close rejects', { close: async () => broken() }, false],
  ])('%s: the job fails with the sink’s id and the cause', async (_name, own, closes) => {
    const log: string[] = [];
    const { source, running } = start(noting(log, own));
    source.send([{ value: 1 }]);
    await turns();
    source.end();
    await expect(running.done).rejects.toMatchObject({
      code: 'ERR_SINK_FAILED',
      operator: 'out',
      job: 'ends',
      retryable: true,
      cause: { message: 'disk full' },
    });
    expect(log.includes('close')).toBe(closes);
    if (own.finish === undefined && closes) expect(log).not.toContain('finish');
  });

  // The call stands outside of what gives errors their operator.
  test('finish throws at once: as if it had rejected', async () => {
    const { source, running } = start(noting([], { finish: broken }));
    source.end();
    await expect(running.done).rejects.toMatchObject({ code: 'ERR_SINK_FAILED', operator: 'out' });
  });
});

describe('functions that set up and tear down', () => {
  const job = (piece: (s: Stream<number>) => Stream<unknown>) =>
    defineJob('life', {}, (builder) => {
      piece(builder.source('in', new ManualSource<number>())).pipe(
        sinkTo('out', new RecordingSink()),
      );
    });
  const kinds: readonly [string, (own: object) => (s: Stream<number>) => Stream<unknown>][] = [
    ['map', (own) => (s) => s.pipe(map((n: number) => n, { id: 'x', ...own }))],
    ['flatMap', (own) => (s) => s.pipe(flatMap((n: number) => [n], { id: 'x', ...own }))],
    [
      'process',
      (own) => (s) =>
        s.pipe(process('x', { output: type<number>(), process: (n, c) => c.emit(n), ...own })),
    ],
  ];

  // What an author's set-up throws is reported as a broken rule of the engine, without operator.
  test.each(kinds)('setup of %s throws: the error names the operator', async (_kind, of) => {
    const running = driveJob(job(of({ setup: broken })));
    await expect(running).rejects.toMatchObject({ code: 'ERR_FUNCTION_THREW', operator: 'x' });
  });

  // Nothing was made, so there is nothing to free.
  test.each(kinds)('setup of %s throws: there is no teardown', async (_kind, of) => {
    const freed: unknown[] = [];
    const teardown = (resource: unknown): void => void freed.push(resource);
    await driveJob(job(of({ setup: broken, teardown }))).catch(() => undefined);
    expect(freed).toEqual([]);
  });

  // Closing stops at the first that throws.
  test('a teardown that throws does not keep the others from theirs', async () => {
    const freed: string[] = [];
    const two = job((s) =>
      s.pipe(
        map((n: number) => n, { id: 'a', teardown: broken }),
        map((n: number) => n, { id: 'b', teardown: () => void freed.push('b') }),
      ),
    );
    const driver = await driveJob(two);
    await driver.finish().catch(() => undefined);
    expect(freed).toEqual(['b']);
  });
});

describe('retry', () => {
  const policy = { action: 'retry', attempts: 2, otherwise: 'fail' } as const;

  // Attempts of earlier records, which went well at last, are counted on.
  test('each record has all of its attempts', async () => {
    const tried = new Set<number>();
    const job = defineJob('retry', {}, (builder) => {
      builder.source('in', new ManualSource<number>()).pipe(
        map(
          (n) => {
            if (tried.has(n)) return n;
            tried.add(n);
            throw new RangeError('not at the first call');
          },
          { onError: policy },
        ),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driveJob(job);
    await driver.send('in', [1, 2, 3]);
    expect(driver.values('out')).toEqual([1, 2, 3]);
  });

  // The timer is taken, the first failure answered with another attempt, and none is made.
  test('a timer that always fails is not lost in silence', async () => {
    const job = defineJob('retry', {}, (builder) => {
      builder.source('in', new ManualSource<number>()).pipe(
        keyBy(() => 'k'),
        keyedProcess('x', {
          output: type<number>(),
          onError: policy,
          process: (n, ctx) => ctx.timers.t.set(n),
          onEventTime: { t: broken },
        }),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driveJob(job);
    await driver.send('in', [1]);
    await expect(driver.finish()).rejects.toMatchObject({ operator: 'x' });
  });
});

describe('metrics', () => {
  const operators = async () => {
    const job = defineJob('metrics', {}, (builder) => {
      const failing = (n: number): number => {
        if (n % 10 === 9) throw new RangeError('unlucky');
        return n;
      };
      const mapped = builder.source('in', new ManualSource<number>()).pipe(
        filter((n) => n % 2 === 1, { id: 'odd' }),
        map(failing, { id: 'fee', onError: { action: 'deadLetter', ceiling: 1 } }),
      );
      mapped.side.deadLetters.pipe(sinkTo('dead', new RecordingSink()));
      mapped.pipe(
        keyBy((n) => n % 3),
        window('w', tumbling(10)),
        aggregate({ n: count() }),
        fork((w) => w.side.late.pipe(sinkTo('late', new RecordingSink()))),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driveJob(job);
    await driver.sendTimed(
      'in',
      Array.from({ length: 1_000 }, (_, value) => ({ value, timestamp: value })),
    );
    const { metrics } = await driver.finish();
    return metrics.operators;
  };

  test('nothing is lost: in is out, filtered or dead-lettered', async () => {
    const { in: source, odd, fee, w, out, dead, late } = await operators();
    expect(source).toMatchObject({ numRecordsIn: 1_000, numRecordsOut: 1_000 });
    expect(odd).toMatchObject({ numRecordsIn: 1_000, numRecordsOut: 500 });
    expect(fee).toMatchObject({ numRecordsIn: 500, numRecordsDeadLettered: 100 });
    expect(dead).toMatchObject({ numRecordsIn: 100 });
    expect(w).toMatchObject({ numLateRecordsDropped: 0, windowRows: 0 });
    expect(out!.numRecordsIn).toBe(w!.numRecordsOut);
    expect(late).toMatchObject({ numRecordsIn: 0 });
  });

  // A fused operator counts what it could not process as given, and the next one as received.
  test('what fails in a loop is neither out of its operator nor in the next', async () => {
    const { fee, w } = await operators();
    expect(fee).toMatchObject({ numRecordsOut: 400 });
    expect(w).toMatchObject({ numRecordsIn: 400 });
  });
});
