import type { DeadLetter, FunctionLifecycle, InlineOperator, Stream } from '@millrace/core/spi';
import { outputOf, type StreamWithSides, streamWithSidesOf } from '@millrace/core/spi';
import type { FunctionOptions } from './function-options.js';
import { refuseAsync } from './refuse-async.js';

/** Adds an operator that the engine fuses into its neighbours' loop. */
export function addInline<T, U>(
  input: Stream<T>,
  form: InlineOperator['form'],
  fn: (value: never, context: never) => unknown,
  options: FunctionOptions<unknown>,
): StreamWithSides<U, { deadLetters: DeadLetter<T> }> {
  const { setup, teardown } = options;
  const lifecycle: FunctionLifecycle<unknown> | undefined =
    setup === undefined && teardown === undefined ? undefined : { setup, teardown };
  const from = outputOf(input);
  const definition: InlineOperator = { form, fn, lifecycle };
  const ref = from.builder.add({
    id: options.id,
    kind: 'oneInput',
    operator: form,
    definition,
    inputs: [{ from }],
    acceptsKinds: true,
    emitsKinds: 'same',
    onError: options.onError,
    parallelism: options.parallelism,
  });
  refuseAsync(ref.node, [fn], `the function of ${form} must not be async`);
  return streamWithSidesOf(ref, ['deadLetters']);
}
