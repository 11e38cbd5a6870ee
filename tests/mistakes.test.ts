import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { csvSink, csvSource, fromArray, fromIterable, ndjsonSink } from '@millrace/connectors';
import type { OnError } from '@millrace/core';
import { defineJob, MillraceError, watermarks } from '@millrace/core';
import type { Sink } from '@millrace/core/spi';
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
  sum,
  tumbling,
  type,
  valueState,
  window,
} from '@millrace/operators';
import { run } from '@millrace/runtime';
import { driveJob, RecordingSink, virtualEnv } from '@millrace/testing';
import { describe, expect, test } from 'vitest';

interface Payment {
  readonly card: string;
  readonly amount: number;
  readonly at: number;
}

const payment = (card: string, amount: number, at = 0): Payment => ({ card, amount, at });
const none = fromArray<Payment>([]);
const byTime = watermarks((p: Payment) => p.at, { step: 1 });

/** Fails on payments of 13. */
const unlucky = (p: Payment): number => {
  if (p.amount === 13) throw new RangeError('unlucky');
  return p.amount;
};

const mapJob = (onError: OnError) =>
  defineJob('mistake', {}, (job) => {
    const mapped = job.source('payments', none, byTime).pipe(map(unlucky, { id: 'fee', onError }));
    mapped.pipe(sinkTo('out', new RecordingSink()));
    if (onError === 'deadLetter') {
      const { deadLetters } = (mapped as unknown as { side: { deadLetters: typeof mapped } }).side;
      deadLetters.pipe(sinkTo('dead', new RecordingSink()));
    }
  });

async function errorOf(action: () => Promise<unknown>): Promise<MillraceError> {
  const error = await action().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(MillraceError);
  return error as MillraceError;
}

const inputs = [payment('a', 1), payment('a', 13), payment('a', 2)];

describe('mistakes when a job is built', () => {
  const build = (define: Parameters<typeof defineJob>[2]) => async () =>
    defineJob('mistake', {}, define).build();
  const sink = new RecordingSink<unknown>();

  test.each([
    [
      'no id',
      'ERR_MISSING_ID',
      build((job) => void job.source('', none).pipe(sinkTo('out', sink))),
    ],
    [
      'an id twice',
      'ERR_DUPLICATE_ID',
      build((job) => {
        job.source('a', none).pipe(sinkTo('out', sink));
        job.source('b', none).pipe(sinkTo('out', sink));
      }),
    ],
    [
      'an id that cannot be a file name or a label',
      'ERR_INVALID_ID',
      build((job) => void job.source('payments!', none).pipe(sinkTo('out', sink))),
    ],
    ['no sink', 'ERR_NO_SINK', build((job) => void job.source('a', none))],
    [
      'the clock',
      'ERR_FORBIDDEN_IN_BUILD',
      build((job) => void job.source(`a${Date.now()}`, none).pipe(sinkTo('out', sink))),
    ],
    [
      'randomness',
      'ERR_FORBIDDEN_IN_BUILD',
      build((job) => void job.source(`a${Math.random()}`, none).pipe(sinkTo('out', sink))),
    ],
    [
      'the environment',
      'ERR_FORBIDDEN_IN_BUILD',
      build(
        (job) =>
          void job.source(globalThis.process.env.HOME ?? 'a', none).pipe(sinkTo('out', sink)),
      ),
    ],
    [
      'dead letters that nobody reads',
      'ERR_DEAD_LETTER_UNCONSUMED',
      build((job) => {
        job.source('a', none).pipe(map(unlucky, { onError: 'deadLetter' }), sinkTo('out', sink));
      }),
    ],
    [
      'two sinks that would write the same parts',
      'ERR_INVALID_OPTION',
      build((job) => {
        const input = job.source('a', none);
        input.pipe(sinkTo('out', csvSink({ path: 'rows/', columns: ['card'] })));
        input.pipe(sinkTo('more', csvSink({ path: './rows', layout: 'parts', columns: ['at'] })));
      }),
    ],
    [
      'a duration with a wrong unit',
      'ERR_INVALID_DURATION',
      build((job) => {
        job.source(
          'a',
          none,
          watermarks((p) => p.at, { outOfOrderness: '4x' as '4s' }),
        );
      }),
    ],
  ])('%s: %s', async (_name, code, action) => {
    const error = await errorOf(action);
    expect(error.code).toBe(code);
    expect(error.message).toContain('what to do');
  });
});

test('sinks share a folder where their parts have other names', () => {
  const job = defineJob('shared', {}, (builder) => {
    const input = builder.source('a', none);
    input.pipe(sinkTo('csv', csvSink({ path: 'rows/', columns: ['card'] })));
    input.pipe(sinkTo('ndjson', ndjsonSink({ path: 'rows/' })));
    input.pipe(sinkTo('others', ndjsonSink({ path: 'others/' })));
  });
  expect(() => job.build()).not.toThrow();
});

test('of two sinks that would write the same parts, both and the place are named', () => {
  const job = defineJob('shared', {}, (builder) => {
    const input = builder.source('a', none);
    for (const id of ['first', 'second']) input.pipe(sinkTo(id, ndjsonSink({ path: '/rows/' })));
  });
  expect(() => job.build()).toThrow(/'first' and 'second' .*\/rows\/part-\*\.ndjson/);
});

describe('a function that throws', () => {
  test('fail (default): the error names operator, cause and the next step', async () => {
    const driver = await driveJob(mapJob('fail'));
    const error = await errorOf(() => driver.send('payments', inputs));
    expect(error).toMatchObject({ code: 'ERR_FUNCTION_THREW', operator: 'fee', job: 'mistake' });
    expect(error.position).toBe('manual@1');
    expect((error.cause as Error).message).toBe('unlucky');
  });

  test('skip: left out and counted', async () => {
    const driver = await driveJob(mapJob('skip'));
    await driver.send('payments', inputs);
    expect(driver.values('out')).toEqual([1, 2]);
    expect(driver.metrics().operators.fee).toMatchObject({ numRecordsSkipped: 1 });
  });

  test('retry: called again, then the last resort', async () => {
    const policy = { action: 'retry', attempts: 3, otherwise: 'skip' } as const;
    const driver = await driveJob(mapJob(policy));
    await driver.send('payments', inputs);
    expect(driver.values('out')).toEqual([1, 2]);
    expect(driver.metrics().operators.fee).toMatchObject({
      numRecordsRetried: 2,
      numRecordsSkipped: 1,
    });
  });

  test('deadLetter: with record, position and error, nothing lost', async () => {
    const driver = await driveJob(mapJob('deadLetter'));
    await driver.send('payments', inputs);
    expect(driver.values('out')).toEqual([1, 2]);
    expect(driver.values('dead')).toEqual([
      {
        record: payment('a', 13),
        position: 'manual@1',
        operator: 'fee',
        timestamp: 0,
        error: { code: 'ERR_FUNCTION_THREW', message: expect.stringContaining('unlucky') },
      },
    ]);
  });

  test('above the ceiling the job fails: skipping cannot hide a broken deploy', async () => {
    const driver = await driveJob(mapJob('skip'));
    const broken = Array.from({ length: 200 }, () => payment('a', 13));
    const error = await errorOf(() => driver.send('payments', broken));
    expect(error).toMatchObject({ code: 'ERR_ERROR_CEILING', operator: 'fee' });
  });

  test('skip in a process function leaves no state, timer or output behind', async () => {
    const job = defineJob('mistake', {}, (builder) => {
      builder.source('payments', none, byTime).pipe(
        keyBy((p) => p.card),
        keyedProcess('totals', {
          output: type<string>(),
          state: { total: valueState<number>() },
          onError: 'skip',
          process(p, ctx) {
            const total = (ctx.state.total.get() ?? 0) + p.amount;
            ctx.state.total.set(total);
            ctx.timers.report.set(p.amount);
            ctx.emit(`${ctx.key} ${total}`);
            if (p.amount === 13) throw new RangeError('unlucky');
          },
          onEventTime: { report: (at, ctx) => ctx.emit(`timer ${at}`) },
        }),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driveJob(job);
    await driver.send('payments', inputs);
    await driver.finish();
    expect(driver.values('out')).toEqual(['a 1', 'a 3', 'timer 1', 'timer 2']);
  });
});

describe('records that are not what they should be', () => {
  const failing = (define: (p: Payment) => unknown) =>
    defineJob('mistake', {}, (job) => {
      job
        .source('payments', none, byTime)
        .pipe(map(define, { id: 'odd' }), sinkTo('out', new RecordingSink()));
    });

  test.each([
    ['a function in a field', () => ({ fee: () => 1 }), 'ERR_UNSERIALISABLE_VALUE', 'fee'],
    [
      'a class instance',
      () => ({ items: [new URL('a:b')] }),
      'ERR_UNSERIALISABLE_VALUE',
      'items[0]',
    ],
    ['a symbol', () => ({ deep: { tag: Symbol('x') } }), 'ERR_UNSERIALISABLE_VALUE', 'deep.tag'],
  ])('%s names the field', async (_name, define, code, field) => {
    const driver = await driveJob(failing(define));
    const error = await errorOf(() => driver.send('payments', [payment('a', 1)]));
    expect(error).toMatchObject({ code, field, operator: 'odd' });
  });

  test('an async function is refused with the graph', async () => {
    const error = await errorOf(() => driveJob(failing(async (p) => p.amount)));
    expect(error).toMatchObject({ code: 'ERR_FUNCTION_RETURNED_PROMISE', operator: 'odd' });
  });

  test('promises name the operator; rejected ones do not end the process', async () => {
    const driver = await driveJob(failing(() => Promise.reject(new Error('unlucky'))));
    const payments = [payment('a', 1), payment('b', 1)];
    const error = await errorOf(() => driver.send('payments', payments));
    expect(error).toMatchObject({ code: 'ERR_FUNCTION_RETURNED_PROMISE', operator: 'odd' });
  });

  test('a record that is changed after it was emitted', async () => {
    const job = defineJob('mistake', {}, (builder) => {
      const stream = builder.source('payments', none, byTime).pipe(map((p) => ({ ...p })));
      stream.pipe(sinkTo('first', new RecordingSink()));
      stream.pipe(
        map((p) => Object.assign(p as { amount: number }, { amount: 0 }), { id: 'mutator' }),
        sinkTo('second', new RecordingSink()),
      );
    });
    const driver = await driveJob(job);
    const error = await errorOf(() => driver.send('payments', [payment('a', 1)]));
    expect(error).toMatchObject({ code: 'ERR_FUNCTION_THREW', operator: 'mutator' });
    expect(error.message).toContain('read only');
  });

  test('text where a sum wants a number', async () => {
    const job = defineJob('mistake', {}, (builder) => {
      builder.source('payments', none, byTime).pipe(
        keyBy((p) => p.card),
        window('w', tumbling('1s')),
        aggregate({ total: sum((p) => p.amount) }),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driveJob(job);
    const wrong = { ...payment('a', 0), amount: '5' };
    const error = await errorOf(() => driver.send('payments', [wrong]));
    expect(error).toMatchObject({ operator: 'w' });
    expect(error.message).toContain('string');
  });

  test.each([undefined, { card: 'a' }, () => 'a', Symbol('a')])('%s as a key', async (key) => {
    const job = defineJob('mistake', {}, (builder) => {
      builder.source('payments', none, byTime).pipe(
        keyBy(() => key as never),
        window('w', tumbling('1s')),
        aggregate({ n: count() }),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driveJob(job);
    const error = await errorOf(() => driver.send('payments', [payment('a', 1)]));
    expect(error).toMatchObject({ code: 'ERR_INVALID_KEY', operator: 'w' });
  });

  test('__proto__ as key and as field is like any other name', async () => {
    const job = defineJob('mistake', {}, (builder) => {
      builder.source('payments', none, byTime).pipe(
        keyBy((p) => p.card),
        window('w', tumbling('1s')),
        aggregate({ ['__proto__']: sum((p: Payment) => p.amount) }),
        sinkTo('out', new RecordingSink()),
      );
    });
    const driver = await driveJob(job);
    const odd = JSON.parse('{"card":"__proto__","amount":2,"at":0,"__proto__":{"polluted":1}}');
    await driver.send('payments', [odd, odd]);
    await driver.finish();
    const [result] = driver.values<Record<string, unknown>>('out');
    expect(result!.key).toBe('__proto__');
    expect(Object.getOwnPropertyDescriptor(result, '__proto__')?.value).toBe(4);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('event times that cannot be', () => {
  const job = (options: Parameters<typeof watermarks>[1], onError?: OnError) =>
    defineJob('mistake', {}, (builder) => {
      const source = builder.source(
        'payments',
        none,
        watermarks((p: Payment) => p.at, options),
        { onError },
      );
      source.pipe(sinkTo('out', new RecordingSink()));
      source.side.deadLetters.pipe(sinkTo('dead', new RecordingSink()));
    });
  const startMs = Date.UTC(2020, 0, 1);

  test.each([
    [Number.NaN, 'NaN'],
    [1.5, '1.5'],
    [undefined, 'undefined'],
    ['2020-01-01', 'a string'],
    [new Date(startMs), 'a Date; its getTime() gives milliseconds'],
    [1e18, '1000000000000000000'],
  ])('%s is refused', async (at, shown) => {
    const driver = await driveJob(job({ farFuture: 'off' }));
    const error = await errorOf(() => driver.send('payments', [{ ...payment('a', 1), at }]));
    expect(error).toMatchObject({ code: 'ERR_INVALID_TIMESTAMP', operator: 'payments' });
    expect(error.detail).toBe(`the event time is ${shown}`);
    expect(error.position).toBe('manual@0');
  });

  test('far in the future: refused, so that it cannot make all others late', async () => {
    const driver = await driveJob(job({}, 'deadLetter'), { startMs });
    const far = payment('far', 1, startMs + 2 * 86_400_000);
    await driver.send('payments', [payment('a', 1, startMs), far, payment('b', 1, startMs + 1)]);
    expect(driver.values<Payment>('out').map(({ card }) => card)).toEqual(['a', 'b']);
    expect(driver.values('dead')).toMatchObject([
      { record: far, error: { code: 'ERR_FAR_FUTURE_TIMESTAMP' } },
    ]);
  });
});

describe('floods', () => {
  const quiet = (): Sink<unknown> & { rows: number } => {
    const sink = {
      rows: 0,
      type: 'counting',
      guarantee: 'at-most-once' as const,
      createWriter: () => ({
        write: (batch: { readonly count: number }) => {
          sink.rows += batch.count;
          largest = Math.max(largest, batch.count);
          return undefined;
        },
      }),
    };
    return sink;
  };
  let largest = 0;

  test('late records are counted, and logged a few times only', async () => {
    const env = virtualEnv();
    const late = Array.from({ length: 5_000 }, () => payment('a', 1, 0));
    const job = defineJob('mistake', {}, (builder) => {
      builder.source('payments', fromArray([payment('a', 1, 60_000), ...late]), byTime).pipe(
        keyBy((p) => p.card),
        window('w', tumbling('1s')),
        aggregate({ n: count() }),
        sinkTo('out', quiet()),
      );
    });
    const { metrics } = await run(job, { env }).done;
    expect(metrics.operators.w).toMatchObject({ numLateRecordsDropped: 5_000 });
    expect(env.logged.length).toBeLessThanOrEqual(4);
    expect(env.logged[0]!.fields).toMatchObject({ operator: 'w', key: 'a' });
  });

  test('late records all reach the side output', async () => {
    const late = Array.from({ length: 5_000 }, () => payment('a', 1, 0));
    const sink = quiet();
    const job = defineJob('mistake', {}, (builder) => {
      builder.source('payments', fromArray([payment('a', 1, 60_000), ...late]), byTime).pipe(
        keyBy((p) => p.card),
        window('w', tumbling('1s')),
        aggregate({ n: count() }),
        fork((w) => w.side.late.pipe(sinkTo('late', sink))),
        filter((w) => w.n > 0),
        sinkTo('out', quiet()),
      );
    });
    await run(job, { env: virtualEnv() }).done;
    expect(sink.rows).toBe(5_000);
  });

  test('a flatMap that gives a million rows for a record is taken in steps', async () => {
    largest = 0;
    const sink = quiet();
    let given = 0;
    let aheadMax = 0;
    function* million(): Generator<number> {
      for (let row = 0; row < 1_000_000; row += 1) {
        given += 1;
        aheadMax = Math.max(aheadMax, given - sink.rows);
        yield row;
      }
    }
    const job = defineJob('mistake', {}, (builder) => {
      builder.source('one', fromArray([1])).pipe(flatMap(million), sinkTo('out', sink));
    });
    await run(job).done;
    expect(sink.rows).toBe(1_000_000);
    expect(largest).toBeLessThanOrEqual(512);
    expect(aheadMax).toBeLessThanOrEqual(4 * 512);
  });

  test('a process function that emits a million rows for a record: a typed error', async () => {
    const job = defineJob('mistake', {}, (builder) => {
      builder.source('one', fromArray([1])).pipe(
        process('flood', {
          output: type<number>(),
          process(_one, ctx) {
            for (let row = 0; row < 1_000_000; row += 1) ctx.emit(row);
          },
        }),
        sinkTo('out', quiet()),
      );
    });
    const error = await errorOf(() => run(job).done);
    expect(error).toMatchObject({ code: 'ERR_OUTPUT_LIMIT', operator: 'flood' });
  });

  test('a window that closes a million keys at once is emitted in steps', async () => {
    largest = 0;
    const sink = quiet();
    function* keys(): Generator<{ id: number }> {
      for (let id = 0; id < 1_000_000; id += 1) yield { id };
    }
    const job = defineJob('mistake', {}, (builder) => {
      builder
        .source(
          'keys',
          fromIterable(keys),
          watermarks(() => 5, { farFuture: 'off' }),
        )
        .pipe(
          keyBy((k) => k.id),
          window('w', tumbling('1s')),
          aggregate({ n: count() }),
          sinkTo('out', sink),
        );
    });
    await run(job).done;
    expect(sink.rows).toBe(1_000_000);
    expect(largest).toBeLessThanOrEqual(512);
  });
});

describe('an invalid line of a CSV file', () => {
  test('names file and line, and can go to the dead letters', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
    const path = join(folder, 'payments.csv');
    await writeFile(path, 'card,amount,at\na,1,0\nb,many,1\nc,2,2\n');
    const columns = { card: 'string', amount: 'number', at: 'integer' } as const;
    const letters: unknown[] = [];
    const rows: unknown[] = [];
    const into = (list: unknown[]): Sink<unknown> => ({
      type: 'list',
      guarantee: 'at-most-once',
      createWriter: () => ({
        write: ({ values, count: n }) => void list.push(...values.slice(0, n)) as undefined,
      }),
    });
    const job = (onError: OnError) =>
      defineJob('mistake', {}, (builder) => {
        const source = builder.source('csv', csvSource({ path, columns }), undefined, { onError });
        source.pipe(
          map((r) => r.card),
          sinkTo('out', into(rows)),
        );
        source.side.deadLetters.pipe(sinkTo('dead', into(letters)));
      });
    const error = await errorOf(() => run(job('fail')).done);
    expect(error.operator).toBe('csv');
    expect(error.position).toContain('3');
    rows.length = 0;
    await run(job('deadLetter')).done;
    expect(rows).toEqual(['a', 'c']);
    expect(letters).toMatchObject([{ raw: 'b,many,1', operator: 'csv' }]);
    await rm(folder, { recursive: true });
  });
});
