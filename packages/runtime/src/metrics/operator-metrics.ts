import { MillraceError } from '@millrace/core';
import type { Counter, GaugeRead, MetricGroup } from '@millrace/core/spi';
import { runtimeLimits } from '../limits.js';

class PlainCounter implements Counter {
  value = 0;

  inc(by = 1): void {
    this.value += by;
  }
}

/**
 * Metrics of one operator's subtask, in Flink's names. What the engine counts are plain fields,
 * added to once for each batch; everything else is a named counter or gauge.
 */
export class OperatorMetrics implements MetricGroup {
  readonly operator: string;
  numRecordsIn = 0;
  numRecordsOut = 0;
  numRecordsSkipped = 0;
  numRecordsDeadLettered = 0;
  numRecordsRetried = 0;
  /** Time at work, and with work but without credit, since the start; ms. */
  accumulateBusyTimeMs = 0;
  accumulateBackPressuredTimeMs = 0;
  private readonly counters = new Map<string, PlainCounter>();
  private readonly gauges = new Map<string, GaugeRead>();

  constructor(operator: string) {
    this.operator = operator;
  }

  counter(name: string): Counter {
    const found = this.counters.get(name);
    if (found !== undefined) return found;
    this.admit(name);
    const counter = new PlainCounter();
    this.counters.set(name, counter);
    return counter;
  }

  gauge(name: string, read: GaugeRead): void {
    if (!this.gauges.has(name)) this.admit(name);
    this.gauges.set(name, read);
  }

  /** All values by name. */
  read(): Readonly<Record<string, number>> {
    const { numRecordsIn, numRecordsOut, numRecordsSkipped, accumulateBusyTimeMs } = this;
    const { numRecordsDeadLettered, numRecordsRetried, accumulateBackPressuredTimeMs } = this;
    return {
      numRecordsIn,
      numRecordsOut,
      numRecordsSkipped,
      numRecordsDeadLettered,
      numRecordsRetried,
      accumulateBusyTimeMs,
      accumulateBackPressuredTimeMs,
      ...Object.fromEntries([...this.counters].map(([name, { value }]) => [name, value])),
      ...Object.fromEntries([...this.gauges].map(([name, read]) => [name, read()])),
    };
  }

  private admit(name: string): void {
    if (this.counters.size + this.gauges.size < runtimeLimits.userMetricsPerOperatorMax) return;
    throw new MillraceError(
      'ERR_INVALID_OPTION',
      `metric '${name}' would be one more than ${runtimeLimits.userMetricsPerOperatorMax}`,
      { operator: this.operator },
    );
  }
}
