import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ChildTask, Progress } from './child-task.js';

const program = fileURLToPath(new URL('./main.js', import.meta.url));

/** A process of a measurement, and what it has said. */
export class BenchChild {
  readonly progress: Progress[] = [];
  private readonly process: ChildProcess;
  private readonly ended: Promise<void>;
  private isStopping = false;
  private failure: Error | undefined;

  constructor(task: ChildTask) {
    this.process = spawn(process.execPath, [program, '--child', JSON.stringify(task)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: this.process.stdout! }).on('line', (line) => {
      this.progress.push(JSON.parse(line) as Progress);
    });
    this.ended = new Promise((resolve) => {
      this.process.once('exit', (code) => {
        if (!this.isStopping) this.failure = new Error(`${task.kind} ended with code ${code}`);
        resolve();
      });
    });
  }

  /** What it said last. @throws Error when it has failed */
  get last(): Progress | undefined {
    if (this.failure !== undefined) throw this.failure;
    return this.progress.at(-1);
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    this.process.stdin!.end();
    await this.ended;
  }
}
