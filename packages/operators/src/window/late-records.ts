import { formatTimestamp } from '@millrace/core/internal';
import type { Counter, Key, OperatorContext, Outputs } from '@millrace/core/spi';

/** Log lines about late records of one operator: at powers of ten, so 8 for ten million. */
const isSampled = (before: number, after: number): boolean =>
  Math.floor(Math.log10(before)) < Math.floor(Math.log10(after));

/** Counts late records and hands them to the side output `late`, or samples them to the log. */
export class LateRecords {
  private readonly dropped: Counter;
  private readonly context: OperatorContext;
  private readonly routed: Counter;

  constructor(context: OperatorContext) {
    this.context = context;
    this.dropped = context.metrics.counter('numLateRecordsDropped');
    this.routed = context.metrics.counter('numLateRecordsRouted');
  }

  take(value: unknown, key: Key, timestamp: number, out: Outputs): void {
    if (out.isConsumed('late')) {
      this.routed.inc();
      out.side('late').emit(value, timestamp);
      return;
    }
    this.drop(1, key, timestamp);
  }

  /** Counts late records of which only a partial row is there. */
  drop(records: number, key: Key, timestamp: number): void {
    const before = this.dropped.value;
    this.dropped.inc(records);
    const dropped = this.dropped.value;
    if (!isSampled(before, dropped)) return;
    this.context.log.log('warn', 'late records dropped; consume side.late to keep them', {
      operator: this.context.operatorId,
      dropped,
      timestamp: formatTimestamp(timestamp),
      watermark: formatTimestamp(this.context.watermark()),
      key: String(key),
    });
  }
}
