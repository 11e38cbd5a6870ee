import type { AggregatorNames } from '@millrace/core/spi';
import type { Fold, FoldPart } from './fold.js';
import { type Tracking, touchStatement } from './tracking.js';

/** Names and values that generated text closes over. */
export interface Closure {
  readonly names: string[];
  readonly values: unknown[];
}

/** Registers the aggregators' functions and initial values; their names are `p<part>_<name>`. */
export function closureOf(fold: Fold): Closure {
  const closure: Closure = { names: [], values: [] };
  const bind = (name: string, value: unknown): void => {
    closure.names.push(name);
    closure.values.push(value);
  };
  for (const [index, { aggregator }] of fold.parts.entries()) {
    for (const [name, fn] of Object.entries(aggregator.functions)) bind(`p${index}_${name}`, fn);
  }
  for (const [index, create] of fold.row.refs.entries()) bind(`initial${index}`, create);
  return closure;
}

export interface RowNames {
  /** Expression of the row's numbers array and offset. */
  readonly numbers: string;
  readonly n: string;
  readonly refs: string;
  readonly r: string;
}

const preparedName = (index: number): string => `prepared${index}`;

/** Names of one aggregator's cells in a row, of its inputs and functions. */
export function namesOf(part: FoldPart, index: number, row: RowNames): AggregatorNames {
  return {
    number: (i) => `${row.numbers}[${row.n} + ${part.number + i}]`,
    ref: (j) => `${row.refs}[${row.r} + ${part.ref + j}]`,
    input: (k) => `x${part.input + k}`,
    fn: (name) => `p${index}_${name}`,
    prepared: preparedName(index),
  };
}

/**
 * Statements that add a record's inputs `x0` … to the row of `key` in `table`. Functions of the author's run
 * before the row is made or changed, on its cells if it is there already.
 *
 * @param row `make`: the row is found or made; `maybe`: it is in slot `found`, or made if that is
 *   negative; `found`: it is in slot `found`; `prepared`: the row is found or made, and the
 *   author's functions have run
 */
export function addStatements(
  fold: Fold,
  row: 'make' | 'maybe' | 'found' | 'prepared',
  tracking: Tracking,
): string {
  const numberStride = fold.row.numbers.length;
  const refStride = fold.row.refs.length;
  const cells: RowNames = { numbers: 'd', n: 'p', refs: 'r', r: 'q' };
  const lines: string[] = [];
  const prepared = row === 'prepared' ? [] : prepareStatements(fold, row, tracking);
  if (row === 'found') lines.push(...prepared, 'const slot = found;');
  else if (row !== 'maybe' && prepared.length === 0) lines.push('const slot = table.slot(key);');
  else {
    if (row === 'make') lines.push('const found = table.find(key);');
    lines.push(...prepared, 'const slot = found < 0 ? table.slot(key) : found;');
  }
  if (numberStride > 0) lines.push(`const d = table.numbers, p = slot * ${numberStride};`);
  // A row just made counts as touched; one that prepared statements looked at has been. Behind the
  // numbers: ahead of them the look at the mark takes as long as all the rest.
  lines.push(touchStatement(tracking, 'slot'));
  if (refStride > 0) lines.push(`const r = table.refs, q = slot * ${refStride};`);
  for (const [index, part] of fold.parts.entries()) {
    lines.push(part.aggregator.add(namesOf(part, index, cells)).commit);
  }
  return lines.join('\n');
}

/** Names of what the author's functions gave, for the aggregators that call them. */
export function preparedParts(fold: Fold): string[] {
  return fold.parts.flatMap(({ mayThrow }, index) => (mayThrow ? [preparedName(index)] : []));
}

/** `const prepared0 = …;` for the aggregators that call the author's functions. */
export function prepareStatements(
  fold: Fold,
  row: 'make' | 'maybe' | 'found',
  tracking: Tracking,
): string[] {
  const refStride = fold.row.refs.length;
  const cells: RowNames = {
    numbers: 'table.numbers',
    n: `found * ${fold.row.numbers.length}`,
    refs: 'table.refs',
    r: `found * ${refStride}`,
  };
  const statements = fold.parts.flatMap((part, index) => {
    const existing = namesOf(part, index, cells);
    const initial = (j: number): string => `initial${part.ref + j}()`;
    const names: AggregatorNames =
      row === 'found'
        ? existing
        : { ...existing, ref: (j) => `(found < 0 ? ${initial(j)} : ${existing.ref(j)})` };
    const { prepare } = part.aggregator.add(names);
    return prepare === undefined ? [] : [`const ${names.prepared} = ${prepare};`];
  });
  if (statements.length === 0 || tracking === 'untracked') return statements;
  // The author's functions may change an accumulator in place.
  return [`if (found >= 0) { ${touchStatement(tracking, 'found')} }`, ...statements];
}

/** Statements that merge row `m`/`o` of `e`/`f` into row `p`/`q` of `d`/`r`. */
export function mergeStatements(fold: Fold): string {
  const into: RowNames = { numbers: 'd', n: 'p', refs: 'r', r: 'q' };
  const from: RowNames = { numbers: 'e', n: 'm', refs: 'f', r: 'o' };
  return fold.parts
    .map((part, index) =>
      part.aggregator.merge?.(namesOf(part, index, into), namesOf(part, index, from)),
    )
    .join('\n');
}

/** An expression for what row `p`/`q` of `d`/`r` gives, with `key`, `window` and `pane`. */
export function resultExpression(fold: Fold): string {
  const row: RowNames = { numbers: 'd', n: 'p', refs: 'r', r: 'q' };
  const fields = fold.parts.map((part, index) => ({
    name: part.name,
    value: part.aggregator.result(namesOf(part, index, row)),
  }));
  if (fold.single) return fields[0]!.value;
  const literal = fields.map(({ name, value }) => `${propertyName(name)}: ${value}`);
  return `{ ${[...literal, 'key', 'window', 'pane'].join(', ')} }`;
}

/** `"__proto__": x` in a literal would set the prototype; a computed name is a field. */
const propertyName = (name: string): string =>
  name === '__proto__' ? '["__proto__"]' : JSON.stringify(name);
