/** At most `max` values in a fresh array; fewer mean that the iterator has ended. */
export function takeFrom<T>(iterator: Iterator<T>, max: number): T[] {
  const values: T[] = [];
  while (values.length < max) {
    const next = iterator.next();
    if (next.done === true) break;
    values.push(next.value);
  }
  return values;
}
