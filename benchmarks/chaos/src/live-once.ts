import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { CommitStep } from './commit-steps.js';
import type { Kill } from './kill-plan.js';
import { eventsFd, type Life, type LifeEvent } from './life-protocol.js';

const program = fileURLToPath(new URL('./life.js', import.meta.url));

/** After so long without its failpoint a process is killed from outside, ms. */
const failpointMsMax = 4_000;
/** After so long a process hangs, ms. */
const lifeMsMax = 120_000;

/** How a life went. */
export interface LivedLife {
  readonly end: 'killed' | 'done' | 'failed';
  /** What it went on from; undefined: it died before it knew. */
  readonly resumed: Extract<LifeEvent, { kind: 'resumed' }> | undefined;
  /** The step at which it died: of a failpoint, or that was going on when it was killed. */
  readonly diedAt: CommitStep | 'start' | undefined;
  readonly by: 'failpoint' | 'time';
  readonly counts: unknown;
  /** What it wrote to its error output. */
  readonly complaints: string;
}

/** Runs a job in a process of its own, and kills that as planned; undefined: not. */
export async function liveOnce(life: Life, kill: Kill | undefined): Promise<LivedLife> {
  const process_ = spawn(process.execPath, [program, JSON.stringify(life)], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const watcher = new LifeWatcher(kill, () => process_.kill('SIGKILL'));
  process_.stderr!.on('data', (text) => watcher.complain(String(text)));
  const events = process_.stdio[eventsFd] as Readable;
  events.setEncoding('utf8').on('data', (text: string) => watcher.hear(text));
  const { code, signal } = await new Promise<{ code: number | null; signal: string | null }>(
    (resolve) => process_.on('close', (code, signal) => resolve({ code, signal })),
  );
  watcher.stop();
  return watcher.result(signal === 'SIGKILL' ? 'killed' : code === 0 ? 'done' : 'failed');
}

class LifeWatcher {
  private readonly kill: Kill | undefined;
  private readonly end: () => void;
  private readonly timers: NodeJS.Timeout[] = [];
  private rest = '';
  private complaints = '';
  private hasCommitted = false;
  private hangs = false;
  private resumed: LivedLife['resumed'];
  private failpoint: LivedLife['diedAt'];
  private readonly underWay: CommitStep[] = [];
  private counts: unknown;

  constructor(kill: Kill | undefined, end: () => void) {
    this.kill = kill;
    this.end = end;
    this.after(lifeMsMax, () => {
      this.hangs = true;
      end();
    });
  }

  complain(text: string): void {
    this.complaints += text;
  }

  hear(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop()!;
    for (const line of lines) this.take(JSON.parse(line) as LifeEvent);
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  result(end: LivedLife['end']): LivedLife {
    const { resumed, failpoint, underWay, counts, complaints } = this;
    const by = failpoint === undefined ? 'time' : 'failpoint';
    const diedAt = end === 'killed' ? (failpoint ?? underWay.at(-1)) : undefined;
    if (this.hangs) {
      return { end: 'failed', resumed, diedAt, by, counts, complaints: `it hangs\n${complaints}` };
    }
    return { end, resumed, diedAt, by, counts, complaints };
  }

  private take(event: LifeEvent): void {
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
        if (!this.hasCommitted) this.scheduleKill();
        this.hasCommitted = true;
        break;
      case 'failpoint':
        this.failpoint = event.step;
        break;
      case 'done':
        this.counts = event.counts;
    }
  }

  private scheduleKill(): void {
    const { kill } = this;
    if (kill === undefined) return;
    this.after(kill.kind === 'time' ? kill.afterCommitMs : failpointMsMax, this.end);
  }

  private after(delayMs: number, act: () => void): void {
    this.timers.push(setTimeout(act, delayMs));
  }
}
