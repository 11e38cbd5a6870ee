import type {
  Aggregator,
  AggregatorInput,
  AggregatorNames,
  KeyTableSpec,
} from '@millrace/core/spi';

/** One aggregated field and where its cells are in a row and its inputs in a batch. */
export interface FoldPart {
  readonly name: string;
  readonly aggregator: Aggregator<never, unknown>;
  readonly number: number;
  readonly ref: number;
  readonly input: number;
  /** To add a record is to call functions of the author's. */
  readonly mayThrow: boolean;
}

/** How records are folded into a row, and what is made of the row. */
export interface Fold {
  readonly parts: readonly FoldPart[];
  readonly inputs: readonly AggregatorInput<never>[];
  readonly row: KeyTableSpec;
  readonly mergeable: boolean;
  /** Undefined: a row gives one result record of the parts' names. */
  readonly expand: ((value: unknown, info: never) => Iterable<unknown>) | undefined;
  /** The result is the only part's own, not a record of the parts' names. */
  readonly single: boolean;
}

/** Numbers that a window operator keeps in each row ahead of the aggregators'. */
export type ReservedNumbers = readonly number[];

/** For when only what there is to be said of a record is asked, not where. */
const noNames: AggregatorNames = {
  number: () => '',
  ref: () => '',
  input: () => '',
  fn: () => '',
  prepared: '',
};

/** Lays the accumulators of several aggregators side by side in one row. */
export function foldOf(
  aggregators: Readonly<Record<string, Aggregator<never, unknown>>>,
  own: Pick<Fold, 'single' | 'expand'> = { single: false, expand: undefined },
): Fold {
  const parts: FoldPart[] = [];
  const inputs: AggregatorInput<never>[] = [];
  const numbers: number[] = [];
  const refs: (() => unknown)[] = [];
  for (const [name, aggregator] of Object.entries(aggregators)) {
    parts.push({
      name,
      aggregator,
      number: numbers.length,
      ref: refs.length,
      input: inputs.length,
      mayThrow: aggregator.add(noNames).prepare !== undefined,
    });
    inputs.push(...aggregator.inputs);
    numbers.push(...aggregator.numbers);
    refs.push(...aggregator.refs);
  }
  const mergeable = parts.every(({ aggregator }) => aggregator.merge !== undefined);
  return { parts, inputs, row: { numbers, refs }, mergeable, ...own };
}

/** The fold with `reserved` numbers ahead of its own in each row. */
export function withReserved(fold: Fold, reserved: ReservedNumbers): Fold {
  return {
    ...fold,
    parts: fold.parts.map((part) => ({ ...part, number: part.number + reserved.length })),
    row: { ...fold.row, numbers: [...reserved, ...fold.row.numbers] },
  };
}

/** What the cells of a row mean: rows of another shape cannot be restored. */
export function shapeOf(fold: Fold): string {
  return fold.parts.map(({ name, aggregator }) => `${name}:${aggregator.type}`).join(',');
}
