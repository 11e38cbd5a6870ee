import type { LogicalNode } from '@millrace/core';
import { type RecordContext, usesDeadLetters, wantsContext } from '@millrace/core/internal';
import {
  type Outputs,
  type RecordBatch,
  RecordFailure,
  type RecordLoop,
  type WatermarkStrategy,
} from '@millrace/core/spi';
import type { SplitTime } from '../engine/split-time.js';
import type { LoopKeys, LoopStep } from '../plan/stage-plan.js';
import type { Compiler } from './compiler.js';
import { edgeCheckText } from './edge-check.js';
import { badTimestamp, type EventTimeText, eventTimeText } from './event-time.js';
import { checkKey, noNumber, promised } from './loop-errors.js';

/**
 * Takes the records `from … to` of `input` into `out` and returns the index behind the last one.
 * `passed[k]` grows by the records that step `k` let through.
 *
 * Throws `RecordFailure` at a record whose function threw; that record has left no trace.
 */
export type Loop = (
  input: LoopInput,
  from: number,
  to: number,
  out: RecordBatch,
  passed: Float64Array,
  split: SplitTime | undefined,
  latestMs: number,
) => number;

/** Records as a loop reads them: a batch, or a chunk of a source. */
export interface LoopInput {
  readonly values: readonly unknown[];
  readonly timestamps?: Float64Array | undefined;
  readonly kinds?: Uint8Array | undefined;
}

/** The same for a loop that ends in an operator: it returns early when the outputs are full. */
export type FusedLoop = (
  input: LoopInput,
  from: number,
  to: number,
  out: Outputs,
  passed: Float64Array,
  split: SplitTime | undefined,
  latestMs: number,
) => number;

/** The source that a loop reads. */
export interface LoopSource {
  readonly id: string;
  readonly watermarks: WatermarkStrategy<unknown>;
}

/** What a loop is made of. */
export interface LoopSpec {
  readonly id: string;
  /** Set where the loop reads a source: its event times are told in the loop, too. */
  readonly source: LoopSource | undefined;
  readonly steps: readonly LoopStep[];
  readonly keys: LoopKeys | undefined;
  readonly carriesKinds: boolean;
  /** Contexts of the steps' functions. */
  readonly contexts: readonly RecordContext[];
}

/**
 * One loop for a run of operators, by generated code: as fast as written by hand.
 *
 * The text names its locals after the steps; `at` is the step that is running, so that an error
 * finds its operator. It costs nothing: the compiler keeps it only for the error path.
 */
export function generateLoop(spec: LoopSpec, compiler: Compiler): Loop {
  const { keys, steps, carriesKinds } = spec;
  const tail = keys === undefined ? recordTail(steps) : keyTail(keys, steps.length);
  const closure = closureOf(spec);
  const head = headOf(spec.source);
  const letters = lettersOf(spec);
  const body = `return function loop(input, from, to, out, passed, split, latestMs) {
  const values = input.values, timestamps = input.timestamps;
  ${head.before}
  const outTimestamps = out.timestamps;
  ${tail.arrays}
  ${carriesKinds ? kindsOpen : ''}
  ${passedOpen(steps)}
  ${letters.before}
  let o = out.count, i = from, at = 0;
  try {
    for (; i < to; i += 1) {
      const v0 = values[i];
      ${head.record}
      ${stepsSource(steps)}
      ${tail.extract}
      ${tail.store}
      ${carriesKinds ? 'outKinds[o] = kinds === undefined ? 0 : kinds[i];' : ''}
      outTimestamps[o] = t;
      o += 1;
    }
  } catch (error) {
    throw new RecordFailure(i, operators[at], error${letters.detail});
  } finally {
    out.count = o;
    ${head.after}
    ${passedClose(steps)}
  }
  return i;
};`;
  return compiler.compile<Loop>(spec.id, 'loop', { ...closure, body });
}

/**
 * A loop that ends in a keyed operator: its steps, the extraction of key and columns, and the
 * operator's own work on the record, without a batch in between.
 */
export function generateFusedLoop(
  spec: LoopSpec & { readonly keys: LoopKeys },
  record: RecordLoop,
  { compiler, checkRecords }: { readonly compiler: Compiler; readonly checkRecords: 'on' | 'off' },
): FusedLoop {
  const { steps, keys } = spec;
  const check = edgeCheckText(keys.edge, checkRecords);
  const closure = closureOf(spec);
  const head = headOf(spec.source);
  const letters = lettersOf(spec);
  const body = `return function fused(input, from, to, out, passed, split, latestMs) {
  const values = input.values, timestamps = input.timestamps;
  ${head.before}
  ${passedOpen(steps)}
  ${record.before}
  ${letters.before}
  let i = from, at = 0;
  try {
    for (; i < to; i += 1) {
      ${record.begin ?? ''}
      const v0 = values[i];
      ${head.record}
      ${stepsSource(steps)}
      ${keySource(keys, steps.length)}
      { const value = v${steps.length}; ${check.record}
      ${record.record}
      }
    }
  } catch (error) {
    if (error instanceof RecordFailure${check.refused}) throw error;
    throw new RecordFailure(i, operators[at], error${letters.detail});
  } finally {
    ${head.after}
    ${passedClose(steps)}
  }
  return i;
};`;
  return compiler.compile<FusedLoop>(keys.owner.id, 'fused', {
    names: [...closure.names, ...check.names, ...record.names],
    values: [...closure.values, ...check.values, ...record.values],
    body,
  });
}

/** A keyed or plain operator's work on each record of a batch. */
export function generateRecordLoop(
  operatorId: string,
  record: RecordLoop,
  columns: number,
  compiler: Compiler,
): (batch: RecordBatch, from: number, out: Outputs) => number {
  const names = Array.from({ length: columns }, (_, k) => k);
  const body = `return function records(batch, from, out) {
  const values = batch.values, timestamps = batch.timestamps, keys = batch.keys, to = batch.count;
  ${names.map((k) => `const column${k} = batch.columns[${k}];`).join(' ')}
  ${record.before}
  let i = from;
  try {
    for (; i < to; i += 1) {
      ${record.begin ?? ''}
      const t = timestamps[i], value = values[i], key = keys === undefined ? undefined : keys[i];
      ${names.map((k) => `const x${k} = column${k}[i];`).join(' ')}
      ${record.record}
    }
  } catch (error) {
    throw error instanceof RecordFailure ? error : new RecordFailure(i, operatorId, error);
  }
  return i;
};`;
  return compiler.compile(operatorId, 'records', {
    names: ['RecordFailure', 'operatorId', ...record.names],
    values: [RecordFailure, operatorId, ...record.values],
    body,
  });
}

const batchHead: EventTimeText = {
  before: '',
  record: 'const t = timestamps[i];',
  after: '',
};

const headOf = (source: LoopSource | undefined): EventTimeText =>
  source === undefined ? batchHead : eventTimeText(source.watermarks);

interface Closure {
  readonly names: string[];
  readonly values: unknown[];
}

function closureOf(spec: LoopSpec): Closure {
  const { steps, contexts, keys, source } = spec;
  const names = ['RecordFailure', 'promised', 'noNumber', 'checkKey', 'badTimestamp', 'operators'];
  const values: unknown[] = [RecordFailure, promised, noNumber, checkKey, badTimestamp];
  values.push(operatorsOf(spec));
  const bind = (name: string, value: unknown): void => {
    names.push(name);
    values.push(value);
  };
  for (const [k, { operator }] of steps.entries()) {
    bind(`f${k}`, operator.fn);
    bind(`context${k}`, contexts[k]);
  }
  // What fails at the source is what its chunk has.
  bind('hasLetters', [
    false,
    ...steps.map(({ node }) => hasLetters(node)),
    hasLetters(keys?.owner),
  ]);
  if (source !== undefined) bind('timestampOf', source.watermarks.timestamp);
  if (keys !== undefined) {
    bind('keyOf', keys.functions.key);
    for (const [k, extract] of keys.functions.inputs.entries()) bind(`extract${k}`, extract);
  }
  return { names, values };
}

/** Operator ids by `at`: the source or nobody, the steps, the owner of the keyed edge. */
export function operatorsOf({ source, steps, keys }: LoopSpec): string[] {
  const owner = keys === undefined ? [] : [keys.owner.id];
  return [source?.id ?? '', ...steps.map(({ node }) => node.id), ...owner];
}

interface LettersText {
  readonly before: string;
  /** Last argument of the failure. */
  readonly detail: string;
}

/**
 * Text that remembers what an operator received for its dead letter: only loops with operators that
 * have some pay for it.
 */
const lettersOf = ({ steps, keys }: LoopSpec): LettersText =>
  [...steps.map(({ node }) => node), keys?.owner].some(hasLetters)
    ? {
        before: 'let received = undefined, receivedAt = 0;',
        detail: ', hasLetters[at] ? { record: received, timestamp: receivedAt } : undefined',
      }
    : { before: '', detail: '' };

const hasLetters = (node: LogicalNode | undefined): boolean =>
  node !== undefined && usesDeadLetters(node.onError);

/** Ahead of an operator's function. */
const received = (node: LogicalNode, value: string): string =>
  hasLetters(node) ? `received = ${value}; receivedAt = t; ` : '';

const kindsOpen = `const kinds = input.kinds;
  if (out.kinds === undefined) out.kinds = new Uint8Array(outTimestamps.length);
  const outKinds = out.kinds;`;

const filtersOf = (steps: readonly LoopStep[]): number[] =>
  steps.flatMap(({ operator }, k) => (operator.form === 'filter' ? [k] : []));

const passedOpen = (steps: readonly LoopStep[]): string =>
  filtersOf(steps)
    .map((k) => `let passed${k} = 0;`)
    .join(' ');

const passedClose = (steps: readonly LoopStep[]): string =>
  filtersOf(steps)
    .map((k) => `passed[${k}] += passed${k};`)
    .join(' ');

const stepsSource = (steps: readonly LoopStep[]): string => steps.map(stepSource).join('\n      ');

function stepSource({ operator, node }: LoopStep, k: number): string {
  const context = wantsContext(operator.fn) ? `, (context${k}.timestamp = t, context${k})` : '';
  const call = `f${k}(v${k}${context})`;
  const begin = `at = ${k + 1}; ${received(node, `v${k}`)}`;
  if (operator.form === 'map') return `${begin}const v${k + 1} = ${call};`;
  const id = JSON.stringify(node.id);
  return `${begin}const keep${k} = ${call};
      if (keep${k} !== true) {
        if (!keep${k}) continue;
        if (keep${k} instanceof Promise) throw promised(${id});
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

/** `key` and `x0` … of record `v<last>`. */
function keySource({ functions, edge, owner }: LoopKeys, last: number): string {
  const id = JSON.stringify(owner.id);
  const value = `v${last}`;
  const inputs = (edge.partitioning.projection?.inputs ?? []).map((type, k) => {
    const own = functions.inputs[k] === undefined;
    const check =
      type === 'number' && !own
        ? ` if (typeof x${k} !== 'number') throw noNumber(${id}, x${k});`
        : '';
    return `const x${k} = ${own ? value : `extract${k}(${value})`};${check}`;
  });
  return [
    `at = ${last + 1}; ${received(owner, value)}const key = keyOf(${value});`,
    `if (typeof key !== 'number' && typeof key !== 'string') checkKey(key, ${id});`,
    ...inputs,
  ].join('\n      ');
}

function keyTail(keys: LoopKeys, last: number): Tail {
  const { projection } = keys.edge.partitioning;
  const withValues = projection?.values ?? true;
  const inputs = projection?.inputs ?? [];
  return {
    arrays: [
      'const outKeys = out.keys;',
      withValues ? 'const outValues = out.values;' : '',
      ...inputs.map((_type, k) => `const column${k} = out.columns[${k}];`),
    ].join(' '),
    extract: keySource(keys, last),
    store: [
      'outKeys[o] = key;',
      withValues ? `outValues[o] = v${last};` : '',
      ...inputs.map((_type, k) => `column${k}[o] = x${k};`),
    ].join(' '),
  };
}
