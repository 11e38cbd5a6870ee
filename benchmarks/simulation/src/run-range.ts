import { type ChildProcess, fork } from 'node:child_process';
import { addReports, emptyReport, reportOf, type SeedsReport } from '@millrace/testing';
import type { Arguments } from './arguments.js';
import type { FromWorker, ToWorker } from './worker-protocol.js';

const workerFile = new URL('./worker.js', import.meta.url);
/** Seeds between two lines of progress. */
const seedsPerLine = 100;

/** Shares a range of seeds among processes. A violation ends it, unless it is told to go on. */
export async function runRange(args: Arguments): Promise<SeedsReport> {
  const range = new RunningRange(args);
  await range.done;
  return range.report;
}

class RunningRange {
  report = emptyReport;
  readonly done: Promise<void>;
  private readonly args: Arguments;
  private readonly begunMs = performance.now();
  private next: number;
  private open = 0;

  constructor(args: Arguments) {
    this.args = args;
    this.next = args.from;
    const workers = Array.from({ length: Math.min(args.workers, args.seeds) }, () =>
      fork(workerFile, { execArgv: ['--enable-source-maps'] }),
    );
    this.done = new Promise((resolve, reject) => {
      for (const worker of workers) {
        worker.on('message', (message: FromWorker) => {
          this.take(message, worker, reject);
          if (this.open === 0) resolve();
        });
        worker.on('exit', (code) => {
          if (this.open > 0) reject(new Error(`a worker ended with code ${code}`));
        });
        this.give(worker);
      }
    });
    const stop = (): void => {
      for (const worker of workers) worker.disconnect();
    };
    this.done.then(stop, stop);
  }

  private give(worker: ChildProcess): void {
    const { from, seeds, keepGoing } = this.args;
    const isOver = this.report.violations.length > 0 && keepGoing === 'no';
    if (isOver || this.next >= from + seeds) return;
    const message: ToWorker = { seed: this.next };
    this.next += 1;
    this.open += 1;
    worker.send(message);
  }

  private take(message: FromWorker, worker: ChildProcess, reject: (error: Error) => void): void {
    this.open -= 1;
    if (message.kind === 'broken') {
      reject(new Error(`the simulator failed at seed ${message.seed}: ${message.error}`));
      return;
    }
    this.report = addReports(this.report, reportOf(message.result));
    for (const { seed, message: text } of reportOf(message.result).violations) {
      console.log(`seed ${seed} VIOLATION ${text}`);
    }
    if (this.report.seeds % seedsPerLine === 0) console.log(this.line());
    this.give(worker);
  }

  private line(): string {
    const { seeds, picks, effectiveFaults, starts, detected } = this.report;
    const { committedCheckpoints, unalignedCheckpoints } = this.report;
    const seconds = (performance.now() - this.begunMs) / 1_000;
    const faults = Object.values(effectiveFaults).reduce((sum, count) => sum + count, 0);
    const each = (count: number): string => (count / seeds).toFixed(1);
    return (
      `${seeds} seeds, ${(seeds / seconds).toFixed(1)} a second, ` +
      `${Math.round(picks / seconds)} picks a second; for each ${each(committedCheckpoints)} ` +
      `checkpoints (${each(unalignedCheckpoints)} unaligned), ${each(faults)} faults, ` +
      `${each(starts)} processes; ${detected} detected damage`
    );
  }
}
