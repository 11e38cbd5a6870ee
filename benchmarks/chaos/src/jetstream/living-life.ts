import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { eventsFd } from '../life-protocol.js';
import type { LifeCommand, StreamLife, StreamLifeEvent, Strike } from './life-protocol.js';
import type { StreamStep } from './sink-steps.js';

const program = fileURLToPath(new URL('./life.js', import.meta.url));

/** How a process ended. */
export type LifeEnd =
  | { readonly kind: 'killed' | 'done' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** A process that runs the job, and what it has said so far. */
export class LivingLife {
  readonly number: number;
  readonly committedBefore: number | null;
  /** What it went on from; undefined: it has not said. */
  resumed: { readonly checkpoint: number | null; readonly finished: boolean } | undefined;
  /** Checkpoints it has committed. */
  commits = 0;
  /** Times that it went on by itself, and why. */
  readonly restarts: string[] = [];
  /** The step at which it struck, unless that was reset. */
  struckAt: StreamStep | 'start' | undefined;
  hasReadAll = false;
  end: LifeEnd | undefined;
  private failed: LifeEnd | undefined;
  private readonly process: ChildProcess;
  private readonly underWay: StreamStep[] = [];
  private rest = '';
  private complaints = '';
  private listeners: (() => void)[] = [];

  /** @param committedBefore the newest checkpoint of its folder */
  constructor(life: StreamLife, committedBefore: number | null) {
    this.number = life.number;
    this.committedBefore = committedBefore;
    this.process = spawn(process.execPath, [program, JSON.stringify(life)], {
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    });
    this.process.stderr!.on('data', (text) => {
      this.complaints += text;
    });
    const events = this.process.stdio[eventsFd] as Readable;
    events.setEncoding('utf8').on('data', (text: string) => this.hear(text));
    // What is told to a process that has just died is lost with it.
    this.process.stdin!.on('error', () => undefined);
    this.process.on('close', (code, signal) => this.onEnd(code, signal));
  }

  /** The step that is going on: where it would die. */
  get stepNow(): StreamStep | undefined {
    return this.underWay.at(-1);
  }

  arm(strike: Strike): void {
    this.command({ kind: 'arm', strike });
  }

  drain(): void {
    this.command({ kind: 'drain' });
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.process.kill(signal);
  }

  /** False when it does not hold after so long, or has not held when the process ended. */
  until(holds: () => boolean, msMax: number): Promise<boolean> {
    if (holds() || this.end !== undefined) return Promise.resolve(holds());
    return new Promise((resolve) => {
      const settle = (outcome: boolean): void => {
        clearTimeout(timer);
        this.listeners = this.listeners.filter((one) => one !== look);
        resolve(outcome);
      };
      const look = (): void => {
        if (holds()) settle(true);
        else if (this.end !== undefined) settle(false);
      };
      const timer = setTimeout(() => settle(false), msMax);
      this.listeners.push(look);
    });
  }

  /** What it wrote to its error output last. */
  lastWords(): string {
    return this.complaints.split('\n').slice(-8).join('\n');
  }

  private command(command: LifeCommand): void {
    this.process.stdin!.write(`${JSON.stringify(command)}\n`);
  }

  private hear(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop()!;
    for (const line of lines) this.take(JSON.parse(line) as StreamLifeEvent);
    for (const listener of [...this.listeners]) listener();
  }

  private take(event: StreamLifeEvent): void {
    switch (event.kind) {
      case 'resumed':
        this.resumed = event;
        break;
      case 'begun':
        this.underWay.push(event.step);
        break;
      case 'ended':
        this.underWay.splice(this.underWay.lastIndexOf(event.step), 1);
        break;
      case 'committed':
        this.commits += 1;
        break;
      case 'failpoint':
        this.struckAt = event.step;
        break;
      case 'end of input':
        this.hasReadAll = true;
        break;
      case 'restarts':
        this.restarts.push(event.error);
        break;
      case 'failed':
        this.failed = event;
        break;
    }
  }

  private onEnd(code: number | null, signal: string | null): void {
    const unclear: LifeEnd = { kind: 'failed', code: 'none', message: `exit code ${code}` };
    if (signal === 'SIGKILL') this.end = { kind: 'killed' };
    else this.end = code === 0 ? { kind: 'done' } : (this.failed ?? unclear);
    for (const listener of [...this.listeners]) listener();
  }
}
