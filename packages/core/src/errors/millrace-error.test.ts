import { describe, expect, test } from 'vitest';
import { RecordFailure } from '../spi/operator.js';
import { type ErrorCode, errorCodes } from './codes.js';
import { MillraceError, toMillraceError, withContext } from './millrace-error.js';

describe('the table of codes', () => {
  test.each(Object.entries(errorCodes))('%s says what happened and what to do', (code, entry) => {
    expect(code).toMatch(/^ERR_[A-Z_]+$/);
    expect(entry.summary).toMatch(/^[^.]{10,}$/);
    expect(entry.remedy).not.toMatch(/\.$/);
    expect(typeof entry.retryable).toBe('boolean');
  });
});

describe('the message', () => {
  function check(context: object, expected: string): void {
    const error = new MillraceError('ERR_NO_SINK', 'looked everywhere', context);
    expect(error.message).toBe(expected);
    expect(String(error)).toBe(expected);
  }
  const what = 'ERR_NO_SINK: the job has no sink: looked everywhere';
  const remedy = ' — what to do: end at least one stream with sinkTo(...)';

  test('has what happened and what to do', () => {
    check({}, `${what}${remedy}`);
  });
  test("begins with the operator's id", () => {
    check({ operator: 'velocity' }, `[velocity] ${what}${remedy}`);
  });
  test('names field, position and job', () => {
    check(
      { job: 'fraud', operator: 'velocity', position: 'in.jsonl:17', field: 'items[3].price' },
      `[velocity] ${what} (field items[3].price, at in.jsonl:17, job fraud)${remedy}`,
    );
  });
  test('is the summary alone when there is no detail', () => {
    expect(new MillraceError('ERR_NO_SINK', '').message).toMatch(/has no sink — what to do/);
  });
});

describe('withContext', () => {
  test('adds what is missing and keeps what is known', () => {
    const error = new MillraceError('ERR_FUNCTION_THREW', 'boom', { operator: 'inner' });
    const placed = withContext(error, { operator: 'outer', job: 'fraud' });
    expect(placed).toMatchObject({ operator: 'inner', job: 'fraud', detail: 'boom' });
    expect(error.job).toBeUndefined();
  });

  test('keeps the cause and the stack frames, with the new message on top', () => {
    const cause = new TypeError('x is not a function');
    const error = new MillraceError('ERR_FUNCTION_THREW', 'boom', { cause });
    const placed = withContext(error, { operator: 'velocity' });
    expect(placed.cause).toBe(cause);
    expect(placed.stack).toMatch(/^MillraceError: \[velocity\] ERR_FUNCTION_THREW/);
    const frames = (stack: string | undefined) =>
      stack?.split('\n').filter((l) => /^ +at /.test(l));
    expect(frames(placed.stack)).toEqual(frames(error.stack));
  });

  test('returns the error itself when there is nothing to add', () => {
    const error = new MillraceError('ERR_NO_SINK', '', { operator: 'a' });
    expect(withContext(error, { operator: 'b' })).toBe(error);
  });
});

describe('toMillraceError', () => {
  function check(thrown: unknown, detail: string): void {
    const error = toMillraceError(thrown, 'ERR_FUNCTION_THREW', { operator: 'velocity' });
    expect(error).toMatchObject({ code: 'ERR_FUNCTION_THREW', detail, operator: 'velocity' });
    expect(error.cause).toBe(thrown);
  }
  test('wraps an error and keeps it as cause', () =>
    check(new TypeError('x is not a function'), 'TypeError: x is not a function'));
  test('wraps a text', () => check('no', 'no'));
  test('wraps what cannot be printed', () =>
    check(Object.create(null), 'a thrown object that cannot be printed'));
  test('leaves the code of a MillraceError alone', () => {
    const error = new MillraceError('ERR_STATE_LIMIT', 'full');
    expect(toMillraceError(error, 'ERR_FUNCTION_THREW')).toBe(error);
  });
});

describe('toJSON', () => {
  test('has everything a log reader needs and no empty fields', () => {
    const error = new MillraceError('ERR_SOURCE_FAILED', 'gone', {
      operator: 'payments',
      cause: new Error('ECONNRESET'),
    });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'MillraceError',
      code: 'ERR_SOURCE_FAILED' satisfies ErrorCode,
      message: error.message,
      summary: 'a source failed',
      detail: 'gone',
      remedy: 'see the cause; check the system it reads from',
      retryable: true,
      operator: 'payments',
      cause: 'Error: ECONNRESET',
    });
  });
});

describe('errors of another copy of core', () => {
  const again = async <M>(path: string): Promise<M> => (await import(`${path}?copy`)) as M;

  test('are errors here, too, and no others are', async () => {
    const { MillraceError: Other } =
      await again<typeof import('./millrace-error.js')>('./millrace-error.js');
    expect(Other).not.toBe(MillraceError);
    const error = new Other('ERR_SOURCE_CHANGED', 'it is shorter');
    expect(error instanceof MillraceError).toBe(true);
    expect(toMillraceError(error, 'ERR_SOURCE_FAILED', { operator: 'in' })).toMatchObject({
      code: 'ERR_SOURCE_CHANGED',
      operator: 'in',
    });
    for (const other of [new Error('a'), {}, null, undefined, 'ERR']) {
      expect(other instanceof MillraceError).toBe(false);
    }
    class Own extends MillraceError {}
    expect(error instanceof Own).toBe(false);
    expect(new Own('ERR_INVARIANT', '') instanceof MillraceError).toBe(true);
  });

  test('with a code that is not known here stay as they are', () => {
    const newer = Object.assign(new MillraceError('ERR_INVARIANT', ''), { code: 'ERR_NEWER' });
    expect(toMillraceError(newer, 'ERR_SOURCE_FAILED', { operator: 'in' })).toBe(newer);
  });

  test('failures of records are such here, too', async () => {
    const path = '../spi/operator.js';
    const { RecordFailure: Other } = await again<typeof import('../spi/operator.js')>(path);
    expect(Other).not.toBe(RecordFailure);
    expect(new Other(1, 'map', new Error('unlucky')) instanceof RecordFailure).toBe(true);
    expect(new Error('unlucky') instanceof RecordFailure).toBe(false);
  });
});
