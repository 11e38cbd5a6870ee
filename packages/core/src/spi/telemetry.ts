/** A number that only grows, e.g. records seen. */
export interface Counter {
  inc(by?: number): void;
  readonly value: number;
}

/** A number that is read when somebody asks for it. */
export type GaugeRead = () => number;

/**
 * Metrics of one operator's subtask. Names are Flink's where Flink has one
 * (`numRecordsIn`, `numLateRecordsDropped`, `currentInputWatermark` …).
 *
 * Creating a counter of a name twice gives the same counter. At most
 * `userMetricsPerOperatorMax` names exist for an operator; one more is an error, since each
 * becomes a time series.
 */
export interface MetricGroup {
  counter(name: string): Counter;
  gauge(name: string, read: GaugeRead): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Structured log; `fields` are JSON. Never called per record by the engine. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}
