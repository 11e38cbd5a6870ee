import {
  type OperatorFactory,
  outputOf,
  type RecordBatch,
  type Stream,
  streamOf,
} from '@millrace/core/spi';

/** Copies batches through, in the order in which they arrive. */
const passThrough: OperatorFactory = {
  form: 'factory',
  rowsPerRecord: 'atMostOne',
  create: () => ({
    processBatch(batch: RecordBatch, from, out): number {
      const { values, timestamps, kinds, count } = batch;
      let i = from;
      for (; i < count && !out.isFull(); i += 1) {
        if (kinds === undefined) out.main.emit(values[i], timestamps[i]!);
        else out.main.emitKind(values[i], timestamps[i]!, kinds[i]!);
      }
      return i;
    },
  }),
};

/**
 * The records of two streams as one; its watermark is the lower of theirs. Order is kept within
 * each of the two, not between them.
 *
 * @example web.pipe(union(mobile))
 */
export function union<T, U>(other: Stream<U>): (input: Stream<T>) => Stream<T | U> {
  return (input) => {
    const from = outputOf(input);
    const ref = from.builder.add({
      id: undefined,
      kind: 'twoInput',
      operator: 'union',
      definition: passThrough,
      inputs: [{ from }, { from: outputOf(other) }],
      acceptsKinds: true,
      emitsKinds: 'same',
    });
    return streamOf(ref);
  };
}
