/**
 * A part of a subtask that the task gives turns. One step does a bounded amount of work: a batch,
 * or a batch's worth of output.
 */
export interface Stage {
  readonly id: string;
  /** It reads a source, be it in a loop with other operators. */
  readonly readsSource: boolean;
  /** True when a step would do something: there is input (or more of it) and credit. */
  isReady(): boolean;
  /** True when there is work but no credit for its output. */
  isBlocked(): boolean;
  /** True while it waits for something outside that it has called, as a sink's destination. */
  isWaiting(): boolean;
  step(): void;
  /** Hands partly filled batches on; true when there were any. */
  flush(): boolean;
  /** Hands on what has waited for more records for long enough; called once a turn. */
  linger(nowMs: number): void;
  /** All input is dealt with and everything has been handed on. */
  readonly isFinished: boolean;
  open(): Promise<void>;
  /** Called once, after success and failure. */
  close(): Promise<void>;
  /** When it wants a turn without input, epoch ms; +∞ for never. */
  wakeAtMs(): number;
}
