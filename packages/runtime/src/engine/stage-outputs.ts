import { coreLimits } from '@millrace/core/internal';
import type { ControlElement, Outputs, RecordBatch } from '@millrace/core/spi';
import type { OutputPort } from './output-port.js';
import type { Places, RowsPerRecord } from './record-places.js';

/** The outputs of a stage as its operator sees them. */
export class StageOutputs implements Outputs {
  main: RecordBatch;
  private readonly mainPort: OutputPort | undefined;
  private readonly sides: ReadonlyMap<string, OutputPort>;
  private readonly fusedDeadLetters: ReadonlyMap<string, OutputPort>;
  private readonly ports: readonly OutputPort[];
  private readonly marks: number[] = [];
  private isMarked = false;

  /**
   * @param fusedDeadLetters dead letters of operators fused ahead, by their ids
   * @param discarded receives the main output when nobody consumes it
   */
  constructor(
    mainPort: OutputPort | undefined,
    sides: ReadonlyMap<string, OutputPort>,
    fusedDeadLetters: ReadonlyMap<string, OutputPort>,
    discarded: RecordBatch,
  ) {
    this.mainPort = mainPort;
    this.sides = sides;
    this.fusedDeadLetters = fusedDeadLetters;
    this.ports = [
      ...(mainPort === undefined ? [] : [mainPort]),
      ...sides.values(),
      ...fusedDeadLetters.values(),
    ];
    this.main = mainPort?.open ?? discarded;
  }

  isConsumed(side: string): boolean {
    return this.sides.has(side);
  }

  side(name: string): RecordBatch {
    return this.sides.get(name)!.open;
  }

  /** The open batch for dead letters of an operator of this stage, if somebody consumes them. */
  deadLettersOf(operator: string): (() => RecordBatch) | undefined {
    const port = this.fusedDeadLetters.get(operator) ?? this.sides.get('deadLetters');
    return port === undefined ? undefined : () => port.open;
  }

  isFull(): boolean {
    if (this.main.count >= coreLimits.batchRecordsMax) return true;
    for (const port of this.sides.values()) if (port.isFull) return true;
    return false;
  }

  mark(): void {
    for (let i = 0; i < this.ports.length; i += 1) this.marks[i] = this.ports[i]!.open.count;
    this.isMarked = true;
  }

  /** Begins a call of the operator. */
  begin(): void {
    this.isMarked = false;
    // What timers and windows have written came of no record in particular.
    this.trace(undefined, 0, 0, 'any');
  }

  /** What was written since `begin` came of the records `from … to` of `of`. */
  trace(of: Places | undefined, from: number, to: number, rowsPerRecord: RowsPerRecord): void {
    for (const port of this.ports) port.open.trace(of, from, to, rowsPerRecord);
  }

  /** Takes back what was written since the mark of this call, if it made one. */
  rollback(): void {
    if (!this.isMarked) return;
    for (let i = 0; i < this.ports.length; i += 1) this.ports[i]!.open.truncate(this.marks[i]!);
  }

  get hasCredit(): boolean {
    for (const port of this.ports) if (!port.hasCredit) return false;
    return true;
  }

  /** Whether there is room for ending what was begun, ahead of a barrier that overtakes. */
  get canOverdraw(): boolean {
    for (const port of this.ports) if (!port.canOverdraw) return false;
    return true;
  }

  /** Hands on the batches that are full; the others wait for more. */
  flushFull(): void {
    for (const port of this.ports) if (port.isFull) port.handOn();
    this.renewMain();
  }

  flush(): boolean {
    let flushed = false;
    for (const port of this.ports) if (port.flush()) flushed = true;
    this.renewMain();
    return flushed;
  }

  linger(nowMs: number): void {
    for (const port of this.ports) port.linger(nowMs);
    this.renewMain();
  }

  sendControl(element: ControlElement): void {
    for (const port of this.ports) port.sendControl(element);
    this.renewMain();
  }

  private renewMain(): void {
    if (this.mainPort === undefined) this.main.count = 0;
    else this.main = this.mainPort.open;
  }
}
