import { defineJob, type Stream, watermarks } from '@millrace/core';
import { driveJob, ManualSource, RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import {
  broadcastState,
  connectBroadcast,
  keyBy,
  keyedConnectBroadcast,
  keyedProcess,
  listState,
  mapState,
  operatorListState,
  process,
  reducingState,
  sinkTo,
  sortedMapState,
  type,
  valueState,
} from '../index.js';

interface Item {
  readonly key: string;
  readonly at: number;
  readonly n: number;
}
const item = (key: string, at: number, n = 1): Item => ({ key, at, n });

/** All that a context may have; functions keep it here, as their authors should not. */
interface AnyContext {
  readonly state: Record<string, Record<string, (...args: unknown[]) => unknown>>;
  readonly broadcast: Record<string, Record<string, (...args: unknown[]) => unknown>>;
  readonly timers: Record<string, Record<string, (at?: number) => void>>;
  readonly side: Record<string, (value: unknown) => void>;
  emit(value: unknown): void;
}

/** Sends items through an operator `p`; `out` has what it emitted. */
async function drive(piece: (input: Stream<Item>) => Stream<unknown>, codegen: 'on' | 'off') {
  const job = defineJob('kept', {}, (b) => {
    const input = b.source(
      'in',
      new ManualSource<Item>(),
      watermarks((r) => r.at, { step: 1, farFuture: 'off' }),
    );
    piece(input).pipe(sinkTo('out', new RecordingSink()));
  });
  return driveJob(job, { codegen });
}

const error = (what: string) =>
  expect.objectContaining({
    code: 'ERR_OUTSIDE_CALL',
    operator: 'p',
    detail: expect.stringContaining(what),
  });

const actionsOfKey: readonly ((ctx: AnyContext) => unknown)[] = [
  (ctx) => ctx.emit('late'),
  (ctx) => ctx.side.extra!('late'),
  (ctx) => ctx.state.value!.get!(),
  (ctx) => ctx.state.value!.set!(9),
  (ctx) => ctx.state.list!.add!(9),
  (ctx) => ctx.state.map!.set!('late', 9),
  (ctx) => [...(ctx.state.map!.entries!() as Iterable<unknown>)],
  (ctx) => ctx.state.sorted!.deleteRange!(),
  (ctx) => ctx.state.sum!.add!(9),
  (ctx) => ctx.timers.due!.set!(99),
  (ctx) => ctx.timers.due!.clear!(),
  (ctx) => ctx.timers.tick!.set!(99),
];

describe.each(['on', 'off'] as const)('a context that was kept, codegen %s', (codegen) => {
  test('is of no use behind a record or timer, whether or not it failed', async () => {
    let kept: AnyContext | undefined;
    const driven = await drive(
      (input) =>
        input.pipe(
          keyBy((r) => r.key),
          keyedProcess('p', {
            output: type<string>(),
            side: { extra: type<string>() },
            onError: 'skip',
            state: {
              value: valueState<number>(),
              list: listState<number>(),
              map: mapState<string, number>(),
              sorted: sortedMapState<string, number>(),
              sum: reducingState<number>((a, b) => a + b),
            },
            process(r: Item, ctx) {
              kept = ctx as unknown as AnyContext;
              ctx.emit(`${ctx.key} ${ctx.state.value.get()} ${ctx.state.list.get().length}`);
              ctx.state.value.set(r.n);
              ctx.timers.due.set(r.at);
              if (r.n < 0) throw new RangeError('unlucky');
            },
            onEventTime: { due: (at, ctx) => ctx.emit(`${ctx.key} due ${at}`) },
            onProcessingTime: { tick: () => undefined },
          }),
        ),
      codegen,
    );
    for (const sent of [item('a', 1), item('b', 2, -1), item('c', 10)]) {
      await driven.send('in', [sent]);
      for (const [at, action] of actionsOfKey.entries()) {
        expect(() => action(kept!), String(action)).toThrow(
          error(['emit', 'side.extra'][at] ?? 'the state or timer of a key'),
        );
      }
    }
    await driven.send('in', [item('a', 11)]);
    await driven.finish();
    expect(driven.values('out')).toEqual([
      'a undefined 0',
      'a due 1',
      'c undefined 0',
      'a 1 0',
      'c due 10',
      'a due 11',
    ]);
  });

  test('is of no use in a promise', async () => {
    const caught: unknown[] = [];
    const driven = await drive(
      (input) =>
        input.pipe(
          keyBy((r) => r.key),
          keyedProcess('p', {
            output: type<string>(),
            process(r: Item, ctx) {
              Promise.resolve()
                .then(() => ctx.emit(`late ${r.at}`))
                .catch((thrown) => caught.push(thrown));
            },
          }),
        ),
      codegen,
    );
    await driven.send('in', [item('a', 1), item('b', 2)]);
    await driven.finish();
    expect([driven.values('out'), caught]).toEqual([[], [error('emit'), error('emit')]]);
  });

  test('gives lists of operators and broadcast state to nobody', async () => {
    const kept: AnyContext[] = [];
    const keep = (_: unknown, ctx: unknown): void => {
      kept[0] = ctx as AnyContext;
    };
    const rules = { rules: broadcastState<string, number>() };
    const output = type<string>();
    const lists = await drive(
      (input) =>
        input.pipe(process('p', { output, state: { all: operatorListState() }, process: keep })),
      codegen,
    );
    await lists.send('in', [item('a', 1)]);
    for (const method of ['get', 'add', 'set']) {
      expect(() => kept[0]!.state.all![method]!([])).toThrow(error('all'));
    }
    await lists.finish();
    for (const keyed of [false, true]) {
      const updated = (input: Stream<Item>) => {
        const spec = { output, broadcast: rules, process: () => undefined, processBroadcast: keep };
        return keyed
          ? input.pipe(
              keyBy((r) => r.key),
              keyedConnectBroadcast('p', input, spec),
            )
          : input.pipe(connectBroadcast('p', input, spec));
      };
      const driven = await drive(updated, codegen);
      await driven.send('in', [item('a', 1)]);
      for (const method of ['get', 'has', 'set', 'delete', 'clear']) {
        expect(() => kept[0]!.broadcast.rules![method]!('a', 1)).toThrow(error('rules'));
      }
      expect(() => [...(kept[0]!.broadcast.rules!.entries!() as [])]).toThrow(error('rules'));
      expect(() => kept[0]!.broadcast.rules!.size).toThrow(error('rules'));
      expect(() => kept[0]!.emit('late')).toThrow(error('emit'));
      await driven.finish();
      expect(driven.values('out')).toEqual([]);
    }
  });

  test('broadcast state is there for records and timers', async () => {
    const driven = await drive(
      (input) =>
        input.pipe(
          keyBy((r) => r.key),
          keyedConnectBroadcast('p', input, {
            output: type<string>(),
            broadcast: { rules: broadcastState<string, number>() },
            process(r, ctx) {
              ctx.timers.due.set(r.at);
              ctx.timers.tick.set(ctx.processingTime + 5);
            },
            processBroadcast: ({ key, n }, ctx) => ctx.broadcast.rules.set(key, n),
            onEventTime: { due: (_, ctx) => ctx.emit(`due ${ctx.broadcast.rules.size}`) },
            onProcessingTime: { tick: (_, ctx) => ctx.emit(`tick ${ctx.broadcast.rules.size}`) },
          }),
        ),
      codegen,
    );
    await driven.send('in', [item('a', 1), item('b', 2)]);
    await driven.advanceTime(10);
    await driven.finish();
    expect(driven.values('out').toSorted()).toEqual(['due 2', 'due 2', 'tick 2', 'tick 2']);
  });
});

describe('setup', () => {
  test('sees who asks, and nothing of records', async () => {
    const seen: unknown[] = [];
    const errors: unknown[] = [];
    const names = ['state', 'timers', 'broadcast', 'side', 'key', 'timestamp', 'watermark'];
    names.push('processingTime', 'resource', 'emit');
    const driven = await drive(
      (input) =>
        input.pipe(
          keyBy((r) => r.key),
          keyedProcess('p', {
            output: type<string>(),
            state: { value: valueState<number>() },
            setup(ctx) {
              const { operatorId, subtask, parallelism } = ctx;
              seen.push(operatorId, subtask, parallelism, typeof ctx.log.log, ctx.metrics);
              for (const name of names) {
                try {
                  (ctx as unknown as Record<string, (value: string) => void>)[name]!('late');
                } catch (thrown) {
                  errors.push(thrown);
                }
              }
              return 'made';
            },
            process: (_, ctx) => ctx.emit(`${ctx.resource} ${ctx.state.value.get()}`),
          }),
        ),
      'on',
    );
    await driven.send('in', [item('a', 1)]);
    await driven.finish();
    expect(seen).toEqual(['p', 0, 1, 'function', expect.anything()]);
    expect(errors).toEqual(names.map((name) => error(name)));
    expect(driven.values('out')).toEqual(['made undefined']);
  });
});
