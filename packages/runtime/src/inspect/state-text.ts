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
      if (part instanceof DataView) return bytesOf(part);
      if (ArrayBuffer.isView(part)) return Array.from(part as Float64Array);
      return part;
    default:
      return part;
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: DataView): readonly number[] => [
  ...new Uint8Array(buffer, byteOffset, byteLength),
];

/**
 * A key is JSON, or text, or what other commands print of it: `17` may be the number or a text, so
 * both are looked for, and a date or a bigint is found by what it is printed as.
 */
export function keyTextsOf(text: string): ReadonlySet<string> {
  const texts = new Set([textOf(text)]);
  try {
    const key: unknown = JSON.parse(text);
    // What is in quotes is that text only.
    if (typeof key === 'string') texts.clear();
    texts.add(textOf(key));
  } catch {
    // It is no JSON.
  }
  return texts;
}

/** What tells a row apart from the others of its state. */
export function placeOf({ namespace, key, task, entry }: StateRow): string {
  const inside = entry === undefined ? '' : `[${textOf(entry)}]`;
  const table = namespace.length === 0 ? '' : ` in ${namespace.join('–')}`;
  const list = task === undefined ? '' : ` in ${task}`;
  return `${textOf(key)}${inside}${table}${list}`;
}
