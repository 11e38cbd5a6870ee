import type { Worker } from 'node:worker_threads';
import { MillraceError } from '@millrace/core';
import type { Cancellable, CheckpointMode, Env, Split } from '@millrace/core/spi';
import type { DeclaredState } from '../checkpoint/state-difference.js';
import type { Pulse } from '../engine/pulse.js';
import type {
  EnumeratorStates,
  SlotControl,
  SlotListener,
  SlotMetrics,
} from '../job/slot-control.js';
import { runtimeLimits } from '../limits.js';
import { BlockWatch } from './block-watch.js';
import {
  type AskedMethod,
  errorFromJson,
  type SlotCommand,
  type SlotReport,
  type ToldMethod,
} from './thread-messages.js';

export interface ThreadSlotParts {
  readonly worker: Worker;
  readonly slot: number;
  readonly env: Env;
  readonly listener: SlotListener;
  readonly pulse: Pulse;
  readonly stageName: (stage: number) => string;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** A slot in a thread of its own, as the one who leads the attempt sees it. */
export class ThreadSlot implements SlotControl {
  private readonly parts: ThreadSlotParts;
  private readonly waiting = new Map<number, Waiting>();
  private readonly watch: BlockWatch;
  private asked = 0;
  private lost: MillraceError | undefined;
  /** For it to stop by itself. */
  private patience: Cancellable | undefined;
  private isEnding = false;
  private known: SlotMetrics = { operators: {}, edges: {} };

  constructor(parts: ThreadSlotParts) {
    this.parts = parts;
    const { worker, slot, env, pulse, stageName } = parts;
    this.watch = new BlockWatch({ slot, env, pulse, stageName });
    worker.on('message', (report: SlotReport) => this.onReport(report));
    worker.on('error', (error) => this.onLost(`it ended with ${String(error)}`));
    worker.on('exit', (code) => this.onLost(`it ended with exit code ${code}`));
  }

  build(): Promise<readonly DeclaredState[]> {
    return this.ask('build') as Promise<readonly DeclaredState[]>;
  }

  async open(): Promise<void> {
    await this.ask('open');
  }

  async start(): Promise<'finished' | 'cancelled'> {
    this.watch.start();
    return (await this.ask('start')) as 'finished' | 'cancelled';
  }

  trigger(
    task: string,
    checkpoint: number,
    enumerators: EnumeratorStates,
    mode: CheckpointMode,
  ): void {
    this.tell('trigger', task, checkpoint, enumerators, mode);
  }

  abort(task: string, checkpoint: number): void {
    this.tell('abort', task, checkpoint);
  }

  committed(task: string, checkpoint: number): void {
    this.tell('committed', task, checkpoint);
  }

  assign(source: string, subtask: number, splits: readonly Split[], end: boolean): void {
    this.tell('assign', source, subtask, splits, end);
  }

  align(group: string, othersMs: number): void {
    this.tell('align', group, othersMs);
  }

  drain(): void {
    this.tell('drain');
  }

  release(): void {
    this.tell('release');
  }

  async sinksQuiet(): Promise<void> {
    await this.ask('sinksQuiet');
  }

  cancel(): void {
    this.tell('cancel');
    this.expectStop();
  }

  fail(error: MillraceError): void {
    this.send({ kind: 'fail', error: error.toJSON() });
    this.expectStop();
  }

  metrics(): SlotMetrics {
    return this.known;
  }

  /** A thread that does not answer, because the author's code does not return, is ended. */
  async close(): Promise<void> {
    this.isEnding = true;
    this.watch.stop();
    this.patience?.cancel();
    if (this.lost === undefined) {
      let timer: Cancellable | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = this.parts.env.scheduler.after(runtimeLimits.slotCloseMs, resolve);
      });
      try {
        await Promise.race([this.ask('close'), patience]);
      } finally {
        timer?.cancel();
        await this.parts.worker.terminate();
      }
    }
  }

  /** Whoever waits for a thread that is stuck, in the author's code or a sink, waits no longer. */
  private expectStop(): void {
    const { env, slot, worker } = this.parts;
    if (this.lost !== undefined) return;
    this.patience ??= env.scheduler.after(runtimeLimits.slotStopMs, () => {
      if (this.waiting.size === 0) return;
      env.log.log('error', 'a slot was told to stop and has not: its thread is ended', { slot });
      this.onLost(`it did not stop within ${runtimeLimits.slotStopMs} ms`);
      void worker.terminate();
    });
  }

  private ask(method: AskedMethod): Promise<unknown> {
    if (this.lost !== undefined) return Promise.reject(this.lost);
    this.asked += 1;
    const id = this.asked;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send({ kind: 'ask', id, method });
    });
  }

  private tell(method: ToldMethod, ...args: readonly unknown[]): void {
    this.send({ kind: 'tell', method, args });
  }

  private send(command: SlotCommand): void {
    if (this.lost === undefined) this.parts.worker.postMessage(command);
  }

  private onReport(report: SlotReport): void {
    const { listener } = this.parts;
    switch (report.kind) {
      case 'answer':
        this.waiting.get(report.id)?.resolve(report.value);
        this.waiting.delete(report.id);
        break;
      case 'failure':
        this.waiting.get(report.id)?.reject(errorFromJson(report.error));
        this.waiting.delete(report.id);
        break;
      case 'event': {
        // The message was made from the same interface.
        const event = listener[report.name] as (...args: readonly unknown[]) => void;
        event.apply(listener, report.args as unknown[]);
        break;
      }
      case 'declined':
        listener.declined(report.task, report.checkpoint, errorFromJson(report.error));
        break;
      case 'failed':
        listener.failed(errorFromJson(report.error));
        break;
      case 'metrics':
        this.known = report.metrics;
    }
  }

  private onLost(detail: string): void {
    if (this.lost !== undefined) return;
    this.watch.stop();
    this.patience?.cancel();
    const busy = this.parts.pulse.stage;
    const at = busy === undefined ? undefined : this.parts.stageName(busy);
    const error = new MillraceError('ERR_SLOT_LOST', `slot ${this.parts.slot}: ${detail}`, {
      operator: at,
    });
    this.lost = error;
    for (const { resolve, reject } of this.waiting.values()) {
      if (this.isEnding) resolve(undefined);
      else reject(error);
    }
    this.waiting.clear();
  }
}
