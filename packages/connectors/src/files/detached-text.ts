/** From this length on a slice is a view that keeps the whole text it was cut from in memory. */
const viewCharsMin = 13;

/** The same text on its own: what is kept for long must not keep its block of the file, too. */
export function detached(text: string): string {
  return text.length < viewCharsMin ? text : ` ${text}`.slice(1);
}
