import { outputOf, type Sink, type SinkHandle, type Stream } from '@millrace/core/spi';

export interface SinkOptions {
  readonly parallelism?: number | undefined;
}

/**
 * Ends a pipe in a sink.
 *
 * @param id unique in the job; what the sink has committed is bound to it
 * @example alerts.pipe(sinkTo('alerts', ndjsonSink({ path: 'alerts.ndjson' })))
 */
export function sinkTo<T>(
  id: string,
  sink: Sink<T>,
  options: SinkOptions = {},
): (input: Stream<T>) => SinkHandle {
  return (input) => {
    const from = outputOf(input);
    from.builder.add({
      id,
      kind: 'sink',
      operator: sink.type,
      definition: sink,
      inputs: [{ from }],
      settings: { guarantee: sink.guarantee, ...(sink.settings as Record<string, never>) },
      acceptsKinds: sink.acceptsKinds ?? false,
      parallelism: options.parallelism,
      destination: sink.destination,
    });
    return { id };
  };
}
