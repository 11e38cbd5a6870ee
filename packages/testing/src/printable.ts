/** Text that is equal for equal records; JSON alone would hide NaN, −0, bigints, maps and sets. */
export function printable(value: unknown): string {
  return JSON.stringify(plain(value)) ?? 'undefined';
}

function plain(part: unknown): unknown {
  if (part === undefined) return '<undefined>';
  if (typeof part === 'bigint') return `<${part}n>`;
  if (typeof part === 'number' && (!Number.isFinite(part) || Object.is(part, -0))) {
    return `<${Object.is(part, -0) ? '-0' : part}>`;
  }
  if (part === null || typeof part !== 'object') return part;
  if (part instanceof Date) return { '<Date>': plain(part.getTime()) };
  if (part instanceof Map) return { '<Map>': [...part].map(plain) };
  if (part instanceof Set) return { '<Set>': [...part].map(plain) };
  if (ArrayBuffer.isView(part)) {
    return { [`<${part.constructor.name}>`]: [...(part as Uint8Array)].map(plain) };
  }
  // `Array.from` also fills the holes.
  if (Array.isArray(part)) return Array.from(part, plain);
  const fields = Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, plain(field)]));
}
