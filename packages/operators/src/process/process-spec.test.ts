import { defineJob, type Stream } from '@millrace/core';
import { ManualSource, RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { keyBy, keyedProcess, process, sinkTo, type } from '../index.js';

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
