import type { FunctionContext, OperatorContext } from './operator.js';
import type { Logger, MetricGroup } from './telemetry.js';

/** The context of an author's function: one object, filled anew for each record. */
export class RecordContext implements FunctionContext<unknown> {
  readonly operatorId: string;
  readonly subtask: number;
  readonly parallelism: number;
  readonly metrics: MetricGroup;
  readonly log: Logger;
  timestamp = 0;
  resource: unknown = undefined;
  private readonly owner: Pick<OperatorContext, 'watermark'>;

  constructor(
    owner: Omit<FunctionContext, 'timestamp' | 'resource' | 'watermark'> &
      Pick<OperatorContext, 'watermark'>,
  ) {
    this.operatorId = owner.operatorId;
    this.subtask = owner.subtask;
    this.parallelism = owner.parallelism;
    this.metrics = owner.metrics;
    this.log = owner.log;
    this.owner = owner;
  }

  get watermark(): number {
    return this.owner.watermark();
  }
}

/** Whether a function wants its context: it declares more than the record (or hides what it has). */
export function wantsContext(fn: (...args: never[]) => unknown): boolean {
  return fn.length !== 1;
}
