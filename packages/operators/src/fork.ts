import type { Pipeable } from '@millrace/core';

/**
 * Taps a handle inside a pipe: `use` may consume it (or its side outputs); the pipe goes on.
 *
 * @example velocity.pipe(fork((v) => v.side.late.pipe(sinkTo('late', consoleSink()))), map(toRow))
 */
export function fork<S extends Pipeable>(use: (stream: S) => unknown): (input: S) => S {
  return (input) => {
    use(input);
    return input;
  };
}
