import { describe, expect, test } from 'vitest';
import { StateGuard } from './state-guard.js';

const mebibyte = 1 << 20;

/** What a guard with a limit of 10 MiB says at sizes of two operators, one look after another. */
function looks(...sizes: readonly (readonly [small: number, large: number])[]): string[] {
  const said: string[] = [];
  let now = sizes[0]!;
  const backends = ['small', 'large'].map((name, at) => ({
    operators: () => [name],
    bytesOf: () => now[at]! * mebibyte,
  }));
  const log = {
    log: (level: string, _message: string, fields?: Readonly<Record<string, unknown>>) => {
      said.push(`${level} ${fields!.operator}: ${fields!.detail}`);
    },
  };
  const guard = new StateGuard(backends, 10 * mebibyte, log);
  for (now of sizes) {
    try {
      guard.check();
    } catch (error) {
      const { code, operator } = error as { code: string; operator: string };
      said.push(`${code} ${operator}`);
    }
  }
  return said;
}

const inUse = (bytes: string, most: string): string =>
  `warn large: ${bytes} MiB of 10.0 MiB in use, ${most} MiB by large`;

describe('the guard of the memory that state takes', () => {
  test('says nothing below 80 % of the limit', () => {
    expect(looks([1, 2], [2, 5.9])).toEqual([]);
  });

  test('warns once at 80 %, naming the largest operator', () => {
    expect(looks([2, 6], [2, 7])).toEqual([inUse('8.0', '6.0')]);
  });

  test('warns anew after it was well in between', () => {
    expect(looks([2, 6], [2, 5], [2, 7])).toEqual([inUse('8.0', '6.0'), inUse('9.0', '7.0')]);
  });

  test('fails at the limit, after the warning', () => {
    expect(looks([2, 6], [2, 8])).toEqual([inUse('8.0', '6.0'), 'ERR_STATE_LIMIT large']);
  });

  test('warns and fails in one look where state jumped beyond the limit', () => {
    expect(looks([1, 2], [2, 9])).toEqual([inUse('11.0', '9.0'), 'ERR_STATE_LIMIT large']);
  });
});
