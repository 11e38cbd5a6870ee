import { RecordContext } from '@millrace/core/internal';
import type { Clock, OperatorContext, Outputs, Timer } from '@millrace/core/spi';

/** What the functions of one input find in their context, by name. */
export interface ContextHandles {
  readonly state: Readonly<Record<string, unknown>>;
  readonly broadcast: Readonly<Record<string, unknown>>;
  readonly timers: Readonly<Record<string, Timer>>;
}

/** The context of a process function: the record's, with outputs, state and timers. */
export class ProcessRecordContext extends RecordContext implements ContextHandles {
  key: unknown = undefined;
  processingTime = 0;
  /** The kind of timer that is firing; undefined with none. */
  firing: 'event' | 'processing' | undefined;
  /** The lowest watermark at which the event timer that is firing was due; ∞ with none. */
  dueMs = Infinity;
  out: Outputs | undefined;
  readonly state: ContextHandles['state'];
  readonly broadcast: ContextHandles['broadcast'];
  readonly timers: ContextHandles['timers'];
  readonly side: Readonly<Record<string, (value: unknown) => void>>;
  private readonly clock: Clock;

  constructor(context: OperatorContext, sides: readonly string[], handles: ContextHandles) {
    super(context);
    this.clock = context.env.clock;
    this.state = handles.state;
    this.broadcast = handles.broadcast;
    this.timers = handles.timers;
    this.side = Object.fromEntries(
      sides.map((name) => [name, (value: unknown) => this.emitSide(name, value)]),
    );
  }

  beginBatch(out: Outputs): void {
    this.out = out;
    this.processingTime = this.clock.nowMs();
  }

  emit(value: unknown): void {
    this.out!.main.emit(value, this.timestamp);
  }

  private emitSide(name: string, value: unknown): void {
    if (this.out!.isConsumed(name)) this.out!.side(name).emit(value, this.timestamp);
  }
}
