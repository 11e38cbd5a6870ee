/**
 * Lets `instanceof` hold for instances of another copy of the class, too: a job file and the program
 * that loads it may have two copies of core, and errors go from one to the other. Classes that
 * extend it are told by their constructor, like any.
 *
 * @param name the same in all copies
 */
export function markInstances(marked: { readonly prototype: object }, name: string): void {
  const mark = Symbol.for(name);
  Object.defineProperty(marked.prototype, mark, { value: true });
  Object.defineProperty(marked, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (this === marked) return typeof value === 'object' && value !== null && mark in value;
      return Function.prototype[Symbol.hasInstance].call(this as never, value);
    },
  });
}
