import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { NatsServer } from '@millrace/testing/nats';
import { Random } from '../../random.js';
import { startServers, withConnection } from '../chaos-servers.js';
import { Feeder } from '../feeder.js';
import { LivingLife } from '../living-life.js';
import { type OutputStream, readOutput } from '../output-stream.js';
import { expectedRows, lineOf } from '../payments.js';
import type { Damage } from './damages.js';
import { JobImage } from './job-image.js';

/** From the older image to the newer one, and from there on a job goes on. */
const commitsBetween = 5;
const commitsToGoOn = 3;
/** Input that is there and not read when the job is killed, ms of it. */
const unreadMs = 1_500;
const progressMsMax = 60_000;
/** A job that neither refuses nor commits by then waits for the stream. */
const decideMsMax = 20_000;

/** What became of a job whose world was damaged. */
export interface TrialReport {
  readonly damage: string;
  readonly detail: string | undefined;
  /** `goes on`, `waits`, or the code it was refused with. */
  readonly outcome: string;
  readonly message: string;
  /** Rows that the stream had and lost by the damage. */
  readonly rowsLost: number;
}

/** A wrong outcome; the message says which. */
class RollbackError extends Error {}

/** A job with input to read, down, with copies of what it and its server had at two moments. */
export class RollbackRun {
  private readonly server: NatsServer;
  private readonly checkpoints: string;
  private readonly random: Random;
  private older!: JobImage;
  private newer!: JobImage;
  private expected: ReadonlySet<string> = new Set();
  /** Lines of the output in the newer image. */
  private published: readonly string[] = [];
  private processes = 0;
  readonly stop: () => Promise<void>;

  private constructor(
    server: NatsServer,
    stop: () => Promise<void>,
    options: { readonly folder: string; readonly seed: number },
  ) {
    this.server = server;
    this.stop = stop;
    this.checkpoints = join(options.folder, 'checkpoints');
    this.random = new Random(options.seed, 'rollback');
  }

  static async prepare(options: {
    readonly folder: string;
    readonly seed: number;
  }): Promise<RollbackRun> {
    const { servers, stop } = await startServers(1);
    const run = new RollbackRun(servers[0]!, stop, options);
    try {
      await run.live(options.folder);
      return run;
    } catch (error) {
      await stop();
      throw error;
    }
  }

  /** @throws RollbackError */
  async inflict(damage: Damage): Promise<TrialReport> {
    const { server, random, older } = this;
    await server.kill();
    this.newer.restore();
    const detail = damage.inflict({ places: this.places(), older, random });
    await server.restart();
    const life = this.start(damage.createsOutput);
    await life.until(() => life.commits >= commitsToGoOn, decideMsMax);
    const { end } = life;
    if (end === undefined) await this.kill(life);
    const outcome =
      end?.kind === 'failed' ? end.code : life.commits >= commitsToGoOn ? 'goes on' : 'waits';
    const message = end?.kind === 'failed' ? end.message : life.lastWords();
    const report = { damage: damage.name, detail, outcome, message, rowsLost: 0 };
    if (!damage.allowed.includes(outcome)) {
      throw new RollbackError(`${damage.name} (${detail ?? ''}): ${outcome}\n${message}`);
    }
    return { ...report, rowsLost: await this.lostRows(report) };
  }

  private places() {
    return { checkpoints: this.checkpoints, store: this.server.storeFolder };
  }

  private async live(folder: string): Promise<void> {
    const feeder = await Feeder.start([this.server.url]);
    await this.liveFor(commitsBetween);
    await this.server.kill();
    this.older = JobImage.take(join(folder, 'older'), this.places());
    await this.server.restart();
    await this.liveFor(commitsBetween);
    await wait(unreadMs);
    const payments = await feeder.stop();
    this.expected = new Set(expectedRows(payments).map(lineOf));
    this.published = linesOf(await withConnection([this.server.url], readOutput));
    await this.server.kill();
    this.newer = JobImage.take(join(folder, 'newer'), this.places());
  }

  private async liveFor(commits: number): Promise<void> {
    const life = this.start();
    const isThere = await life.until(() => life.commits >= commits, progressMsMax);
    await this.kill(life);
    if (!isThere) throw new RollbackError(`undamaged it does not commit\n${life.lastWords()}`);
  }

  private start(createsOutput?: true): LivingLife {
    this.processes += 1;
    const { checkpoints, server, processes: number } = this;
    const life = { number, servers: [server.url], checkpoints };
    return new LivingLife(createsOutput ? { ...life, createsOutput: 1 } : life, null);
  }

  private async kill(life: LivingLife): Promise<void> {
    life.signal('SIGKILL');
    await life.until(() => false, progressMsMax);
  }

  /** Whatever else happened, nothing may be there twice, and nothing that should not be. */
  private async lostRows(report: TrialReport): Promise<number> {
    const lines = linesOf(await this.outputNow());
    const seen = new Set(lines);
    const wrong = lines.filter((line) => !this.expected.has(line));
    if (seen.size < lines.length || wrong.length > 0) {
      const doubled = `${lines.length - seen.size} rows twice, ${wrong.length} wrong`;
      throw new RollbackError(`${report.damage} (${report.detail ?? ''}): ${doubled}`);
    }
    return this.published.filter((line) => !seen.has(line)).length;
  }

  private async outputNow(): Promise<OutputStream> {
    try {
      return await withConnection([this.server.url], readOutput);
    } catch {
      // The stream is gone.
      return { batches: [], rest: [] };
    }
  }
}

const linesOf = ({ batches, rest }: OutputStream): string[] =>
  [...batches.flatMap(({ rows }) => rows), ...rest].map(({ line }) => line);
