import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { committedIn } from '../committed.js';
import { type ChaosServers, startServers, withConnection } from './chaos-servers.js';
import type { Fault, FaultPlan } from './fault-plan.js';
import { Feeder } from './feeder.js';
import type { StreamLife, Strike } from './life-protocol.js';
import { LivingLife } from './living-life.js';
import { auditOutput, isSound, type OutputFindings, type Succession } from './output-audit.js';
import { readOutput } from './output-stream.js';
import { expectedRows, lineOf } from './payments.js';
import type { StreamStep } from './sink-steps.js';

/** After so long without its step a fault happens at whatever step is going on, ms. */
const stepMsMax = 8_000;
/** A process that does not do what it should by then hangs, ms. */
const progressMsMax = 60_000;
/** For reading what is left when all faults are over, ms. */
const drainMsMax = 180_000;
/** What a process may end with that finds out that it was succeeded. */
const zombieCodes = ['ERR_CHECKPOINT_SUPERSEDED', 'ERR_SINK_FENCED', 'ERR_METADATA_ROLLBACK'];

/** What is not as it should be; the message says what. */
class ChaosError extends Error {}

/** A fault that happened. */
export interface FaultReport {
  readonly kind: Fault['kind'];
  /** Undefined: between two steps. */
  readonly step: StreamStep | undefined;
  readonly by: 'failpoint' | 'time';
  /** Of zombies: what they ended with, and how long after they went on. */
  readonly zombie?: { readonly code: string; readonly stoppedMs: number; readonly endedMs: number };
}

export interface StreamReport {
  readonly faults: readonly FaultReport[];
  readonly payments: number;
  readonly processes: number;
  /** Restarts within processes, and why. */
  readonly restarts: readonly string[];
  readonly findings: OutputFindings;
}

export interface StreamRunOptions {
  readonly folder: string;
  readonly faults: number;
  readonly plan: FaultPlan;
  readonly servers: 1 | 3;
  readonly onFault: (report: FaultReport) => void;
}

/**
 * Feeds the job while it and its servers are killed and stopped, and compares what it has written.
 *
 * @throws ChaosError when the job does not go on, a zombie does not end, or the output is wrong
 */
export async function streamRun(options: StreamRunOptions): Promise<StreamReport> {
  const servers = await startServers(options.servers);
  try {
    return await new StreamRun(options, servers).run();
  } finally {
    await servers.stop();
  }
}

class StreamRun {
  private readonly options: StreamRunOptions;
  private readonly servers: ChaosServers;
  private readonly checkpoints: string;
  private readonly faults: FaultReport[] = [];
  private readonly lives: LivingLife[] = [];
  private life: LivingLife | undefined;

  constructor(options: StreamRunOptions, servers: ChaosServers) {
    this.options = options;
    this.servers = servers;
    this.checkpoints = join(options.folder, 'checkpoints');
  }

  async run(): Promise<StreamReport> {
    const { faults, plan, onFault } = this.options;
    const feeder = await Feeder.start(this.servers.urls);
    try {
      while (this.faults.length < faults) {
        const report = await this.suffer(plan.next());
        this.faults.push(report);
        onFault(report);
      }
      const payments = await feeder.stop();
      await this.drain();
      return await this.conclude(payments);
    } finally {
      for (const life of this.lives) life.signal('SIGKILL');
      await feeder.abandon();
    }
  }

  private suffer(fault: Fault): Promise<FaultReport> {
    switch (fault.kind) {
      case 'job':
        return this.killJob(fault);
      case 'server':
        return this.killServer(fault);
      case 'both':
        return this.killBoth(fault);
      case 'zombie':
        return this.makeZombie(fault);
    }
  }

  private async killJob(fault: Fault): Promise<FaultReport> {
    const life = await this.strike(fault, 'SIGKILL', undefined);
    const step = life.struckAt ?? life.stepNow;
    life.signal('SIGKILL');
    await this.ended(life);
    this.life = undefined;
    return this.report('job', life, step);
  }

  private async killServer(fault: Extract<Fault, { kind: 'server' }>): Promise<FaultReport> {
    const server = this.servers.servers[fault.server]!;
    const life = await this.strike(fault, 'SIGKILL', server.pid);
    const step = life.struckAt ?? life.stepNow;
    await server.kill();
    await wait(fault.outageMs);
    await server.restart();
    const { commits } = life;
    await this.must(life, () => life.commits > commits, 'does not commit after the outage');
    return this.report('server', life, step);
  }

  private async killBoth(fault: Extract<Fault, { kind: 'both' }>): Promise<FaultReport> {
    const server = this.servers.servers[fault.server]!;
    const life = await this.strike(fault, 'SIGKILL', undefined);
    const step = life.struckAt ?? life.stepNow;
    life.signal('SIGKILL');
    await Promise.all([server.kill(), this.ended(life)]);
    this.life = undefined;
    const next = this.start(undefined);
    await wait(fault.outageMs);
    await server.restart();
    await this.must(next, () => next.commits > 0, 'does not commit after the outage');
    return this.report('both', life, step);
  }

  private async makeZombie(fault: Extract<Fault, { kind: 'zombie' }>): Promise<FaultReport> {
    const zombie = await this.strike(fault, 'SIGSTOP', undefined);
    const step = zombie.struckAt ?? zombie.stepNow;
    // One that stops itself may not have done so yet, and would when it is to go on.
    if (zombie.struckAt === undefined) zombie.signal('SIGSTOP');
    const begunMs = performance.now();
    const successor = this.start(undefined);
    await this.must(successor, () => successor.commits > 0, 'does not take over');
    await wait(Math.max(0, fault.stoppedMs - (performance.now() - begunMs)));
    const stoppedMs = performance.now() - begunMs;
    zombie.signal('SIGCONT');
    const endedMs = performance.now();
    await zombie.until(() => false, progressMsMax);
    const { end } = zombie;
    if (end === undefined) {
      const at = `it is at ${zombie.stepNow}, ${JSON.stringify(zombie.restarts)}`;
      throw new ChaosError(`a zombie does not end; ${at}\n${zombie.lastWords()}`);
    }
    if (end.kind !== 'failed' || !zombieCodes.includes(end.code)) {
      throw new ChaosError(`a zombie ended so: ${JSON.stringify(end)}\n${zombie.lastWords()}`);
    }
    const took = { code: end.code, stoppedMs, endedMs: performance.now() - endedMs };
    return { ...this.report('zombie', zombie, step), zombie: took };
  }

  /** A living process that has come to its moment. */
  private async strike(
    fault: Fault,
    signal: Strike['signal'],
    pid: number | undefined,
  ): Promise<LivingLife> {
    const { at } = fault;
    const strike = at.kind === 'step' ? { failpoint: at, signal, pid } : undefined;
    const isNew = this.life === undefined;
    this.life ??= this.start(strike);
    const { life } = this;
    life.struckAt = undefined;
    if (strike !== undefined) {
      if (!isNew) life.arm(strike);
      const isThere = await life.until(() => life.struckAt !== undefined, stepMsMax);
      if (!isThere && life.end === undefined) this.options.plan.notReached(fault);
    }
    // Which it may never come to, when it is killed as it starts.
    if (life.struckAt === undefined) {
      const { commits } = life;
      await this.must(life, () => life.commits > commits, 'does not commit');
    }
    if (at.kind === 'time') await life.until(() => false, at.afterCommitMs);
    return life;
  }

  private start(strike: Strike | undefined): LivingLife {
    const { checkpoints, lives } = this;
    const life: StreamLife = {
      number: lives.length + 1,
      servers: this.servers.urls,
      checkpoints,
      strike,
    };
    const before = committedIn(checkpoints);
    const living = new LivingLife(life, before);
    lives.push(living);
    this.life = living;
    return living;
  }

  private async ended(life: LivingLife): Promise<void> {
    await life.until(() => false, progressMsMax);
    this.checkResumed(life);
    if (life.end?.kind === 'killed') return;
    throw new ChaosError(`it ended so: ${JSON.stringify(life.end)}\n${life.lastWords()}`);
  }

  private async must(life: LivingLife, holds: () => boolean, complaint: string): Promise<void> {
    if (await life.until(holds, progressMsMax)) return;
    const end = life.end === undefined ? '' : `, but ended so: ${JSON.stringify(life.end)}`;
    throw new ChaosError(`process ${life.number} ${complaint}${end}\n${life.lastWords()}`);
  }

  private checkResumed({ resumed, committedBefore }: LivingLife): void {
    if (resumed === undefined || resumed.checkpoint === committedBefore) return;
    const from = `checkpoint ${resumed.checkpoint}`;
    throw new ChaosError(`it went on from ${from}, but ${committedBefore} was committed last`);
  }

  /** All input is read and all windows fire; started again the job knows that it has ended. */
  private async drain(): Promise<void> {
    const life = this.life ?? this.start(undefined);
    if (!(await life.until(() => life.hasReadAll, drainMsMax))) {
      throw new ChaosError(`it does not read all input\n${life.lastWords()}`);
    }
    life.drain();
    await this.done(life);
    const again = this.start(undefined);
    await this.done(again);
    if (again.resumed?.finished !== true) throw new ChaosError('it does not know that it ended');
  }

  private async done(life: LivingLife): Promise<void> {
    await life.until(() => false, progressMsMax);
    this.checkResumed(life);
    if (life.end?.kind === 'done') return;
    throw new ChaosError(`drained it ends so: ${JSON.stringify(life.end)}\n${life.lastWords()}`);
  }

  private async conclude(payments: number): Promise<StreamReport> {
    const output = await withConnection(this.servers.urls, readOutput);
    const successions = this.lives.flatMap(({ number, resumed }): Succession[] =>
      resumed === undefined ? [] : [{ life: number, resumedFrom: resumed.checkpoint }],
    );
    const findings = auditOutput(output, expectedRows(payments).map(lineOf), successions);
    if (!isSound(findings)) throw new ChaosError(textOf(findings));
    const restarts = this.lives.flatMap((life) => life.restarts);
    return { faults: this.faults, payments, processes: this.lives.length, restarts, findings };
  }

  private report(
    kind: Fault['kind'],
    { struckAt }: LivingLife,
    step: StreamStep | 'start' | undefined,
  ): FaultReport {
    const by = struckAt === undefined ? 'time' : 'failpoint';
    return { kind, step: step === 'start' ? undefined : step, by };
  }
}

function textOf(findings: OutputFindings): string {
  const { rows, lost, doubled, fromZombies, outOfOrder } = findings;
  const shown = (name: string, lines: readonly string[]): string =>
    [`${lines.length} ${name}`, ...lines.slice(0, 5).map((line) => `  ${line}`)].join('\n');
  return [
    `of ${rows} rows`,
    shown('lost', lost),
    shown('doubled or wrong', doubled),
    shown('from zombies', fromZombies),
    shown('markers out of order', outOfOrder),
  ].join('\n');
}
