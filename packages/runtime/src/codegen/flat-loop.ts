import type { RecordBatch } from '@millrace/core/spi';
import { RecordFailure } from '@millrace/core/spi';
import type { LoopKeys } from '../plan/stage-plan.js';
import { eventTimeOf } from './event-time.js';
import { type Loop, type LoopSpec, operatorsOf } from './loop.js';
import { checkKey, noNumber, promised } from './loop-errors.js';

/** A loop without generated code: the readable reference, and the fallback. */
export function flatLoop(spec: LoopSpec): Loop {
  const { steps, contexts, keys, carriesKinds, source } = spec;
  const operators = operatorsOf(spec);
  return (input, from, to, out, passed, split, latestMs) => {
    for (let i = from; i < to; i += 1) {
      let at = 0;
      let cut = false;
      let value = input.values[i];
      let timestamp = input.timestamps?.[i] ?? 0;
      try {
        if (source !== undefined) {
          timestamp = eventTimeOf(source.watermarks, value, input.timestamps?.[i], latestMs);
          cut = split!.onRecord(value, timestamp);
        }
        let keep = true;
        for (const [k, { operator }] of steps.entries()) {
          at = k + 1;
          contexts[k]!.timestamp = timestamp;
          const result = operator.fn(value as never, contexts[k] as never);
          if (operator.form === 'map') value = result;
          else if (result instanceof Promise) throw promised(operators[at]!);
          else if (result) passed[k]! += 1;
          else {
            keep = false;
            break;
          }
        }
        at = steps.length + 1;
        if (keep) store(out, keys, value, timestamp, carriesKinds ? input.kinds?.[i] : undefined);
      } catch (error) {
        throw new RecordFailure(i, operators[at]!, error, { record: value, timestamp });
      }
      if (cut) return i + 1;
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
  if (keys !== undefined) storeKey(out, keys, value);
  if (keys?.edge.partitioning.projection?.values === false) storeTime(out, timestamp, kind);
  else if (kind === undefined) out.emit(value, timestamp);
  else out.emitKind(value, timestamp, kind);
}

function storeKey(out: RecordBatch, { functions, edge, owner }: LoopKeys, value: unknown): void {
  const at = out.count;
  const key = functions.key!(value as never);
  checkKey(key, owner.id);
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

/** Ends a row whose record stays behind: batches of such rows share one array of no values. */
function storeTime(out: RecordBatch, timestamp: number, kind: number | undefined): void {
  const at = out.count;
  out.timestamps[at] = timestamp;
  if (kind !== undefined) {
    out.kinds ??= new Uint8Array(out.capacity);
    out.kinds[at] = kind;
  }
  out.count = at + 1;
}
