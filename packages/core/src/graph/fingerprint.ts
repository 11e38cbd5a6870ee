import { encodeKey } from '../keys/key-codec.js';
import { murmur3 } from '../keys/murmur3.js';
import type { LogicalGraph } from './logical-graph.js';

/**
 * 128 bits in hex that are equal for equal graphs: ids, kinds, settings, params, partitioning,
 * state and policies. Functions are not in it: code is identified by its bundle.
 *
 * It tells versions of a job apart; it is not cryptographic.
 */
export function fingerprint(graph: LogicalGraph): string {
  const bytes = encodeKey(canonicalJson(graph));
  return [0, 1, 2, 3]
    .map((seed) => (murmur3(bytes, seed) >>> 0).toString(16).padStart(8, '0'))
    .join('');
}

/** JSON with names in order, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    const source = part as Readonly<Record<string, unknown>>;
    const sorted = Object.create(null) as Record<string, unknown>;
    for (const name of Object.keys(source).sort()) sorted[name] = source[name];
    return sorted;
  });
}
