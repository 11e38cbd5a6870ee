import { MillraceError } from '@millrace/core';
import { type RecordContext, wantsContext } from '@millrace/core/internal';
import { type RecordBatch, RecordFailure } from '@millrace/core/spi';
import type { LoopKeys, LoopStep } from '../plan/stage-plan.js';
import type { Compiler } from './compiler.js';

/**
 * Takes the records `from … to` of `batch` into `out` and returns the index behind the last one.
 * `passed[k]` grows by the records that step `k` let through.
 *
 * Throws `RecordFailure` at a record whose function threw; that record has left no trace.
 */
export type Loop = (
  batch: RecordBatch,
  from: number,
  to: number,
  out: RecordBatch,
  passed: Float64Array,
) => number;

/** What a loop is made of. */
export interface LoopSpec {
  readonly id: string;
  readonly steps: readonly LoopStep[];
  readonly keys: LoopKeys | undefined;
  readonly carriesKinds: boolean;
  /** Contexts of the steps' functions. */
  readonly contexts: readonly RecordContext[];
}

const promised = (operator: string): MillraceError =>
  new MillraceError('ERR_FUNCTION_RETURNED_PROMISE', 'a predicate must answer at once', {
    operator,
  });

const noNumber = (operator: string, value: unknown): MillraceError =>
  new MillraceError(
    'ERR_FUNCTION_THREW',
    `a numeric aggregator's extractor gave ${value === null ? 'null' : typeof value}, not a number`,
    { operator },
  );

const noKey = (operator: string): MillraceError =>
  new MillraceError('ERR_INVALID_KEY', 'keyBy gave undefined', { operator });

/**
 * One loop for a run of operators, by generated code: as fast as written by hand.
 *
 * The text names its locals after the steps; `at` is the step that is running, so that an error
 * finds its operator. It costs nothing: the compiler keeps it only for the error path.
 */
export function generateLoop(spec: LoopSpec, compiler: Compiler): Loop {
  const { steps, contexts, keys } = spec;
  const names = ['RecordFailure', 'promised', 'noNumber', 'noKey', 'operators'];
  const values: unknown[] = [RecordFailure, promised, noNumber, noKey, operatorsOf(spec)];
  const bind = (name: string, value: unknown): void => {
    names.push(name);
    values.push(value);
  };
  for (const [k, { operator }] of steps.entries()) {
    bind(`f${k}`, operator.fn);
    bind(`context${k}`, contexts[k]);
  }
  if (keys !== undefined) {
    bind('keyOf', keys.functions.key);
    for (const [k, extract] of keys.functions.inputs.entries()) bind(`extract${k}`, extract);
  }
  return compiler.compile<Loop>(spec.id, 'loop', { names, values, body: loopSource(spec) });
}

/** Operator ids by step; the keyed edge's owner comes last. */
function operatorsOf({ steps, keys }: LoopSpec): string[] {
  return [...steps.map(({ node }) => node.id), ...(keys === undefined ? [] : [keys.owner.id])];
}

function loopSource(spec: LoopSpec): string {
  const { steps, keys, carriesKinds } = spec;
  const filters = steps.flatMap(({ operator }, k) => (operator.form === 'filter' ? [k] : []));
  const tail = keys === undefined ? recordTail(steps) : keyTail(spec);
  return `return function loop(batch, from, to, out, passed) {
  const values = batch.values, timestamps = batch.timestamps;
  const outTimestamps = out.timestamps;
  ${tail.arrays}
  ${carriesKinds ? kindsOpen : ''}
  ${filters.map((k) => `let passed${k} = 0;`).join(' ')}
  let o = out.count, i = from, at = 0;
  try {
    for (; i < to; i += 1) {
      const t = timestamps[i];
      const v0 = values[i];
      ${steps.map(stepSource).join('\n      ')}
      ${tail.extract}
      ${tail.store}
      ${carriesKinds ? 'outKinds[o] = kinds === undefined ? 0 : kinds[i];' : ''}
      outTimestamps[o] = t;
      o += 1;
    }
  } catch (error) {
    throw new RecordFailure(i, operators[at], error);
  } finally {
    out.count = o;
    ${filters.map((k) => `passed[${k}] += passed${k};`).join(' ')}
  }
  return i;
};`;
}

const kindsOpen = `const kinds = batch.kinds;
  if (out.kinds === undefined) out.kinds = new Uint8Array(outTimestamps.length);
  const outKinds = out.kinds;`;

function stepSource({ operator, node }: LoopStep, k: number): string {
  const context = wantsContext(operator.fn) ? `, (context${k}.timestamp = t, context${k})` : '';
  const call = `f${k}(v${k}${context})`;
  if (operator.form === 'map') return `at = ${k}; const v${k + 1} = ${call};`;
  const id = JSON.stringify(node.id);
  return `at = ${k}; const p${k} = ${call};
      if (p${k} !== true) {
        if (!p${k}) continue;
        if (p${k} instanceof Promise) throw promised(${id});
      }
      passed${k} += 1; const v${k + 1} = v${k};`;
}

interface Tail {
  /** Statements ahead of the loop. */
  readonly arrays: string;
  /** Statements that may throw: nothing of the record has been written yet. */
  readonly extract: string;
  readonly store: string;
}

const recordTail = (steps: readonly LoopStep[]): Tail => ({
  arrays: 'const outValues = out.values;',
  extract: '',
  store: `outValues[o] = v${steps.length};`,
});

function keyTail({ steps, keys }: LoopSpec): Tail {
  const { functions, edge, owner } = keys!;
  const id = JSON.stringify(owner.id);
  const value = `v${steps.length}`;
  const { projection } = edge.partitioning;
  const withValues = projection?.values ?? true;
  const inputs = projection?.inputs ?? [];
  const columns = inputs.map((type, k) => {
    const own = functions.inputs[k] === undefined;
    const check =
      type === 'number' && !own
        ? ` if (typeof x${k} !== 'number') throw noNumber(${id}, x${k});`
        : '';
    return `const x${k} = ${own ? value : `extract${k}(${value})`};${check}`;
  });
  return {
    arrays: [
      'const outKeys = out.keys;',
      withValues ? 'const outValues = out.values;' : '',
      ...inputs.map((_type, k) => `const column${k} = out.columns[${k}];`),
    ].join(' '),
    extract: [
      `at = ${steps.length}; const key = keyOf(${value});`,
      `if (key === undefined) throw noKey(${id});`,
      ...columns,
    ].join('\n      '),
    store: [
      'outKeys[o] = key;',
      withValues ? `outValues[o] = ${value};` : '',
      ...inputs.map((_type, k) => `column${k}[o] = x${k};`),
    ].join(' '),
  };
}

/** The same without generated code: the readable reference, and the fallback. */
export function flatLoop(spec: LoopSpec): Loop {
  const { steps, contexts, keys, carriesKinds } = spec;
  const operators = operatorsOf(spec);
  return (batch, from, to, out, passed) => {
    for (let i = from; i < to; i += 1) {
      const timestamp = batch.timestamps[i]!;
      let at = 0;
      try {
        let value = batch.values[i];
        let keep = true;
        for (; keep && at < steps.length; at += 1) {
          const { operator } = steps[at]!;
          contexts[at]!.timestamp = timestamp;
          const result = operator.fn(value as never, contexts[at] as never);
          if (operator.form === 'map') value = result;
          else if (result instanceof Promise) throw promised(operators[at]!);
          else if (result) passed[at]! += 1;
          else keep = false;
        }
        if (keep) store(out, keys, value, timestamp, carriesKinds ? batch.kinds?.[i] : undefined);
      } catch (error) {
        throw new RecordFailure(i, operators[at]!, error);
      }
    }
    return to;
  };
}

function store(
  out: RecordBatch,
  keys: LoopKeys | undefined,
  value: unknown,
  timestamp: number,
  kind: number | undefined,
): void {
  const at = out.count;
  if (keys !== undefined) {
    const { functions, edge, owner } = keys;
    const key = functions.key(value as never);
    if (key === undefined) throw noKey(owner.id);
    const inputs = edge.partitioning.projection?.inputs ?? [];
    const extracted = inputs.map((type, k) => {
      const extract = functions.inputs[k];
      const input = extract === undefined ? value : extract(value as never);
      if (type === 'number' && typeof input !== 'number') throw noNumber(owner.id, input);
      return input;
    });
    out.keys![at] = key as never;
    for (const [k, input] of extracted.entries()) (out.columns[k] as unknown[])[at] = input;
  }
  if (kind === undefined) out.emit(value, timestamp);
  else out.emitKind(value, timestamp, kind);
}
