import type { StateRow } from './state-rows.js';

/** A value as JSON, with what JSON cannot say in a readable form: for people, not for reading back. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => readable(part)) ?? 'undefined';
}

function readable(part: unknown): unknown {
  switch (typeof part) {
    case 'bigint':
      return `${part}n`;
    case 'number':
      return Number.isFinite(part) ? part : String(part);
    case 'object':
      if (part instanceof Map) return Object.fromEntries([...part].map(([k, v]) => [textOf(k), v]));
      if (part instanceof Set) return [...part];
      if (ArrayBuffer.isView(part)) return [...new Uint8Array(part.buffer)];
      return part;
    default:
      return part;
  }
}

/** What tells a row apart from the others of its state. */
export function placeOf({ namespace, key, entry }: StateRow): string {
  const inside = entry === undefined ? '' : `[${textOf(entry)}]`;
  const table = namespace.length === 0 ? '' : ` in ${namespace.join('–')}`;
  return `${textOf(key)}${inside}${table}`;
}
