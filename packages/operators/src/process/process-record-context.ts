import { outsideCall, RecordContext } from '@millrace/core/internal';
import type {
  Clock,
  OperatorContext,
  OperatorStateAccess,
  Outputs,
  Timer,
} from '@millrace/core/spi';

/** What the functions of one input find in their context, by name. */
export interface ContextHandles {
  readonly state: Readonly<Record<string, unknown>>;
  readonly broadcast: Readonly<Record<string, unknown>>;
  readonly timers: Readonly<Record<string, Timer>>;
  /** What of it is no key's, which is to be told of calls. */
  readonly unkeyed: readonly Pick<OperatorStateAccess, 'enter' | 'leave'>[];
}

/** The context of a process function: the record's, with outputs, state and timers. */
export class ProcessRecordContext extends RecordContext implements Omit<ContextHandles, 'unkeyed'> {
  key: unknown = undefined;
  processingTime = 0;
  /** The kind of timer that is firing; undefined with none. */
  firing: 'event' | 'processing' | undefined;
  /** The lowest watermark at which the event timer that is firing was due; ∞ with none. */
  dueMs = Infinity;
  /** Undefined between calls. */
  out: Outputs | undefined;
  readonly state: ContextHandles['state'];
  readonly broadcast: ContextHandles['broadcast'];
  readonly timers: ContextHandles['timers'];
  readonly side: Readonly<Record<string, (value: unknown) => void>>;
  private readonly unkeyed: ContextHandles['unkeyed'];
  private readonly clock: Clock;

  constructor(context: OperatorContext, sides: readonly string[], handles: ContextHandles) {
    super(context);
    this.clock = context.env.clock;
    this.state = handles.state;
    this.broadcast = handles.broadcast;
    this.timers = handles.timers;
    this.unkeyed = handles.unkeyed;
    this.side = Object.fromEntries(
      sides.map((name) => [name, (value: unknown) => this.emitSide(name, value)]),
    );
  }

  beginBatch(out: Outputs): void {
    this.beginCall(out);
    this.processingTime = this.clock.nowMs();
  }

  beginCall(out: Outputs): void {
    this.out = out;
    for (const access of this.unkeyed) access.enter();
  }

  /** What a function has kept of this context is of no use until the next call. */
  endCalls(): void {
    this.out = undefined;
    for (const access of this.unkeyed) access.leave();
  }

  emit(value: unknown): void {
    const { out } = this;
    if (out === undefined) throw outsideCall(this.operatorId, 'emit');
    out.main.emit(value, this.timestamp);
  }

  private emitSide(name: string, value: unknown): void {
    const { out } = this;
    if (out === undefined) throw outsideCall(this.operatorId, `side.${name}`);
    if (out.isConsumed(name)) out.side(name).emit(value, this.timestamp);
  }
}
