import { printable } from './printable.js';

/** What a matcher of vitest or jest returns. */
interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

function countBy(records: readonly unknown[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const record of records) {
    const text = printable(record);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}

/** Records of `a` that `b` has fewer of. */
function missingFrom(a: readonly unknown[], b: readonly unknown[]): string[] {
  const counts = countBy(b);
  return a.map(printable).filter((text) => {
    const left = counts.get(text) ?? 0;
    counts.set(text, left - 1);
    return left <= 0;
  });
}

/**
 * Matchers for what jobs emit.
 *
 * @example
 * expect.extend(millraceMatchers);
 * expect(driver.values('alerts')).toEqualInAnyOrder([{ card: 'a' }]);
 */
export const millraceMatchers = {
  /** The same records, each as often, in any order. */
  toEqualInAnyOrder(received: readonly unknown[], expected: readonly unknown[]): MatcherResult {
    const missing = missingFrom(expected, received);
    const extra = missingFrom(received, expected);
    const list = (records: readonly string[]): string => records.slice(0, 10).join('\n    ');
    return {
      pass: missing.length === 0 && extra.length === 0,
      message: () =>
        `${missing.length} records are missing, ${extra.length} are not expected\n` +
        `  missing:\n    ${list(missing)}\n  not expected:\n    ${list(extra)}`,
    };
  },

  /** Nothing is there twice. */
  toHaveNoDuplicates(received: readonly unknown[]): MatcherResult {
    const twice = [...countBy(received)].filter(([, count]) => count > 1);
    return {
      pass: twice.length === 0,
      message: () => `these are there more than once: ${twice.map(([text]) => text).join(', ')}`,
    };
  },
};

/** The matchers as vitest's types see them. */
export interface MillraceMatchers<R = unknown> {
  toEqualInAnyOrder(expected: readonly unknown[]): R;
  toHaveNoDuplicates(): R;
}
