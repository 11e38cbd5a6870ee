/** A case of a conformance suite, for any test runner. */
export interface ConformanceCase {
  readonly name: string;
  /** Why this implementation cannot have it; undefined: it must pass. */
  readonly skipped?: string | undefined;
  /** Rejects when the implementation breaks the contract. */
  run(): Promise<void>;
}

/** Cases from an object of functions by name, each of which gets an implementation of its own. */
export function casesOf<T>(
  name: string,
  create: () => Promise<T>,
  cases: Readonly<Record<string, (subject: T) => Promise<void>>>,
): readonly ConformanceCase[] {
  return Object.entries(cases).map(([title, check]) => ({
    name: `${name}: ${title}`,
    run: async () => check(await create()),
  }));
}

/** How many of several things that happen at once had an outcome. */
export function countOf<T>(outcomes: readonly T[], fits: (outcome: T) => boolean): number {
  return outcomes.filter(fits).length;
}
