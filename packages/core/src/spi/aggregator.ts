/** An input that an aggregator takes from each record, evaluated ahead of the keyed edge. */
export interface AggregatorInput<T> {
  /** Undefined: the record itself. */
  readonly extract: ((record: T) => unknown) | undefined;
  /** `number`: kept as a typed column; anything but a number is refused. */
  readonly type: 'number' | 'any';
}

/** Expressions for the cells and inputs of one accumulator, in generated code. */
export interface AggregatorNames {
  /** The i-th number of the accumulator; can be assigned in `commit` and `merge`. */
  number(i: number): string;
  /** The j-th reference of the accumulator; can be assigned in `commit` and `merge`. */
  ref(j: number): string;
  /** The k-th input of the record. */
  input(k: number): string;
  /** A function given in `functions`. */
  fn(name: string): string;
  /** What `prepare` gave. */
  readonly prepared: string;
}

/** How a record is added, as text. */
export interface AddText {
  /**
   * An expression that may call the author's functions and changes nothing; so a record that
   * throws leaves no half-made accumulator.
   */
  readonly prepare?: string | undefined;
  /** Statements that change the cells and do not throw. */
  readonly commit: string;
}

/** Accumulator cells in the plain form: `numbers[n + i]`, `refs[r + j]`. */
export interface AccumulatorCells {
  numbers: Float64Array;
  n: number;
  refs: unknown[];
  r: number;
}

/**
 * Folds records into an accumulator of fixed cells: numbers and references.
 *
 * Each rule is there twice: as text for the generated loop, and as plain functions (`plain`) for
 * hosts that forbid code generation. Both must agree; the conformance suite of aggregators
 * compares them.
 *
 * `R` is the result's type; `T` the record's.
 */
export interface Aggregator<in T, out R> {
  readonly type: string;
  readonly inputs: readonly AggregatorInput<T>[];
  readonly numbers: readonly number[];
  readonly refs: readonly (() => unknown)[];
  readonly functions: Readonly<Record<string, unknown>>;
  readonly add: (names: AggregatorNames) => AddText;
  /** Adds `from`'s accumulator to `into`'s. Undefined: accumulators cannot be merged. */
  readonly merge: ((into: AggregatorNames, from: AggregatorNames) => string) | undefined;
  readonly result: (names: AggregatorNames) => string;
  readonly plain: PlainAggregator;
  /** Carries the result type; never set. */
  readonly resultType?: R;
}

/** The rules of an aggregator without generated code. */
export interface PlainAggregator {
  /** Throws before it changes anything, or not at all. */
  add(cells: AccumulatorCells, inputs: readonly unknown[]): void;
  merge?: ((into: AccumulatorCells, from: AccumulatorCells) => void) | undefined;
  result(cells: AccumulatorCells): unknown;
}
