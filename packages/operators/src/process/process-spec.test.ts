import { defineJob, type Stream } from '@millrace/core';
import { driveJob, ManualSource, RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { connect, connectBroadcast, keyBy, keyedProcess, process, sinkTo, type } from '../index.js';

const byItself = keyBy((n: number) => n);

const built = (operator: (s: Stream<number>) => Stream<number>) =>
  defineJob('names', {}, (builder) => {
    builder
      .source('in', new ManualSource<number>())
      .pipe(operator, sinkTo('out', new RecordingSink<number>()));
  });

describe('names that an operator could not tell apart are refused as it is added', () => {
  test('a timer of event time and one of processing time', () => {
    const job = built((s) =>
      s.pipe(
        keyBy((n) => n),
        keyedProcess('p', {
          output: type<number>(),
          process: (n, ctx) => ctx.timers.due.set(n),
          onEventTime: { due: () => undefined },
          onProcessingTime: { other: () => undefined, due: () => undefined },
        }),
      ),
    );
    expect(() => job.build()).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_OPTION',
        operator: 'p',
        field: 'onProcessingTime.due',
      }),
    );
  });

  test.each(['deadLetters', ''])("a side output '%s' and one of the engine's", (name) => {
    const job = built((s) =>
      s.pipe(
        process('p', {
          output: type<number>(),
          side: { [name]: type<number>() },
          process: (n: number, ctx) => ctx.emit(n),
        }),
      ),
    );
    expect(() => job.build()).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', operator: 'p', field: `side.${name}` }),
    );
  });
});

/** What an author writes who keeps the parts of a function in a class. */
class Counted {
  readonly output = type<string>();
  readonly log: string[] = [];
  private opened = 0;

  get onError() {
    return 'skip' as const;
  }

  setup() {
    this.opened += 1;
    return `resource ${this.opened}`;
  }

  teardown(resource: string) {
    this.log.push(`teardown of ${resource}, opened ${this.opened}`);
  }

  process(n: number, ctx: { readonly resource: string; emit(value: string): void }) {
    if (n === 13) throw new RangeError('unlucky');
    ctx.emit(`${n} with ${ctx.resource}, opened ${this.opened}`);
  }

  processLeft(n: number, ctx: { readonly resource: string; emit(value: string): void }) {
    this.process(n, ctx);
  }

  processRight() {}
}

class CountedBroadcast extends Counted {
  readonly broadcast = {};

  processBroadcast() {}
}

test.each([
  ['process', (spec: CountedBroadcast) => (s: Stream<number>) => s.pipe(process('p', spec))],
  [
    'keyedProcess',
    (spec: CountedBroadcast) => (s: Stream<number>) => s.pipe(byItself, keyedProcess('p', spec)),
  ],
  [
    'connect',
    (spec: CountedBroadcast) => (s: Stream<number>, other: Stream<number>) =>
      s.pipe(byItself, connect('p', other.pipe(byItself), spec)),
  ],
  [
    'connectBroadcast',
    (spec: CountedBroadcast) => (s: Stream<number>, other: Stream<number>) =>
      s.pipe(connectBroadcast('p', other, spec)),
  ],
])('a spec may be an instance of a class: %s', async (_name, operator) => {
  const spec = new CountedBroadcast();
  const job = defineJob('class', {}, (builder) => {
    const other = builder.source('other', new ManualSource<number>());
    operator(spec)(builder.source('in', new ManualSource<number>()), other).pipe(
      sinkTo('out', new RecordingSink<string>()),
    );
  });
  const driver = await driveJob(job);
  await driver.send('in', [1, 13, 2]);
  await driver.finish();
  expect(driver.values('out')).toEqual([
    '1 with resource 1, opened 1',
    '2 with resource 1, opened 1',
  ]);
  expect(spec.log).toEqual(['teardown of resource 1, opened 1']);
});
