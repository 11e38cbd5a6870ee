import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { MillraceError } from '@millrace/core';
import { childGuard } from './child-guard.js';

/** Milliseconds. Servers answer in a fraction of a second; a cluster elects within a few. */
const readyMsMax = 30_000;
const pollMs = 20;
/** A server that does not end by itself by then is killed. */
const stopMsMax = 5_000;
/** One that does not answer for so long is paused; it answers within 2 ms. */
const silentMs = 100;
const logTailLines = 25;

/** One run of a server program after another, with one log file. */
export class ServerProcess {
  private child: ChildProcess | undefined;
  private ended: Promise<void> = Promise.resolve();
  private readonly binary: string;
  private readonly configPath: string;
  private readonly logPath: string;
  private readonly healthUrl: string;

  constructor(options: {
    readonly binary: string;
    readonly configPath: string;
    readonly logPath: string;
    readonly healthUrl: string;
  }) {
    this.binary = options.binary;
    this.configPath = options.configPath;
    this.logPath = options.logPath;
    this.healthUrl = options.healthUrl;
  }

  /** 0 while it does not run. */
  get pid(): number {
    return this.child?.pid ?? 0;
  }

  spawn(): void {
    if (this.child !== undefined) throw new MillraceError('ERR_TEST_KIT', 'the server runs');
    const log = openSync(this.logPath, 'a');
    const child = spawn(this.binary, ['--config', this.configPath], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.child = child;
    const { pid } = child;
    if (pid !== undefined) childGuard.watch(pid);
    this.ended = new Promise((resolve) => {
      const onEnd = (): void => {
        if (pid !== undefined) childGuard.forget(pid);
        if (this.child === child) this.child = undefined;
        resolve();
      };
      child.once('exit', onEnd);
      child.once('error', onEnd);
    });
  }

  /**
   * Resolves when the server says that it is healthy: clients can connect, JetStream has recovered
   * its streams and, in a cluster, found its leader.
   *
   * @throws ERR_TEST_KIT with the end of its log when it ends or takes too long
   */
  async ready(): Promise<void> {
    const until = performance.now() + readyMsMax;
    while (performance.now() < until) {
      if (this.child === undefined) throw this.error('nats-server ended');
      if (await this.isHealthy()) return;
      await wait(pollMs);
    }
    throw this.error(`nats-server was not ready after ${readyMsMax} ms`);
  }

  /** A process of many threads does not stop at the moment it is told to. */
  async pause(): Promise<void> {
    this.running().kill('SIGSTOP');
    while (await this.isHealthy(silentMs));
  }

  resume(): void {
    this.running().kill('SIGCONT');
  }

  /** Resolves when it has ended; at once when it does not run. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    // One that is paused hears nothing but SIGKILL.
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    child.kill(signal);
    const giveUp = new AbortController();
    const late = wait(stopMsMax, 'late', { signal: giveUp.signal }).catch(() => 'ended');
    if ((await Promise.race([this.ended, late])) === 'late') child.kill('SIGKILL');
    giveUp.abort();
    await this.ended;
  }

  logTail(): string {
    return readFileSync(this.logPath, 'utf8').trimEnd().split('\n').slice(-logTailLines).join('\n');
  }

  private running(): ChildProcess {
    if (this.child !== undefined) return this.child;
    throw new MillraceError('ERR_TEST_KIT', 'the server is down');
  }

  private async isHealthy(withinMs = 1_000): Promise<boolean> {
    try {
      const response = await fetch(this.healthUrl, { signal: AbortSignal.timeout(withinMs) });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }

  private error(what: string): MillraceError {
    return new MillraceError('ERR_TEST_KIT', `${what}; its log ends with\n${this.logTail()}`);
  }
}
