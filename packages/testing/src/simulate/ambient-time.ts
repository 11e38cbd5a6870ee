import type { Random } from '@millrace/core/spi';

/** What functions of a job see of the world around them. */
export interface Ambient {
  readonly nowMs: () => number;
  readonly random: Random;
}

/**
 * Gives `Date` and `Math.random` to a simulation while it runs: a function that asks them gets the
 * same answers from the same seed, and others from another one, so that it is found out.
 */
export async function withAmbient<T>(ambient: Ambient, act: () => Promise<T>): Promise<T> {
  const original = { Date: globalThis.Date, random: Math.random };
  globalThis.Date = virtualDate(original.Date, ambient.nowMs);
  Math.random = () => ambient.random.next();
  try {
    return await act();
  } finally {
    globalThis.Date = original.Date;
    Math.random = original.random;
  }
}

function virtualDate(original: DateConstructor, nowMs: () => number): DateConstructor {
  return new Proxy(original, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [nowMs()] : args, newTarget),
    apply: (target) => String(new target(nowMs())),
    get: (target, name, receiver) => (name === 'now' ? nowMs : Reflect.get(target, name, receiver)),
  });
}

let last: Promise<unknown> = Promise.resolve();

/** One simulation at a time: they share `Date`, `Math.random` and unheard rejections. */
export function inTurn<T>(act: () => Promise<T>): Promise<T> {
  const turn = last.then(act);
  last = turn.catch(() => undefined);
  return turn;
}
