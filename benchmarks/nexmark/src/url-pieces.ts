/** Where the piece after the one that ended at `previous` ends; the url's length at most. */
export function pieceEnd(url: string, previous: number): number {
  if (previous === url.length) return previous;
  const at = url.indexOf('/', previous + 1);
  return at < 0 ? url.length : at;
}

/** The piece of a url behind the one that ended at `previous`; null if that was the last. */
export function piece(url: string, previous: number, end: number): string | null {
  return previous === url.length ? null : url.slice(previous + 1, end);
}
