import { type BuiltJob, type JobDefinition, type JobParams, MillraceError } from '@millrace/core';
import type { SourceDefinition } from '@millrace/core/internal';
import type { JobMetrics, JobResult } from '@millrace/runtime';
import { type EmbeddedJob, startJob } from '@millrace/runtime/internal';
import { ManualSource, type TimedRecord } from './manual-source.js';
import { RecordingSink, type SunkRecord } from './recording-sink.js';
import { type VirtualEnv, virtualEnv } from './virtual-env.js';

export interface JobDriverOptions<P extends JobParams> {
  readonly params?: Partial<P> | undefined;
  /** Wall clock at the start, epoch ms. */
  readonly startMs?: number | undefined;
  /** Records of the next chunk of every source; by default all that was sent. */
  readonly cuts?: (() => number) | undefined;
  /** `reluctant`: sinks hold their senders back after each batch. Default `prompt`. */
  readonly sinks?: 'prompt' | 'reluctant' | undefined;
  readonly codegen?: 'on' | 'off' | undefined;
  readonly checkRecords?: 'on' | 'off' | undefined;
}

/**
 * Runs a whole job in virtual time, without any server: sources give what the test sends, sinks
 * keep what they receive. The idea is Kafka Streams' `TopologyTestDriver`.
 *
 * @example
 * const driver = await driveJob(cardVelocity);
 * await driver.send('payments', [{ card: 'a', at: 0, amount: 5 }]);
 * await driver.finish();
 * expect(driver.values('alerts')).toEqual([…]);
 */
export async function driveJob<P extends JobParams>(
  job: JobDefinition<P>,
  options: JobDriverOptions<P> = {},
): Promise<JobDriver> {
  const driver = new JobDriver(job.build(options.params), options as JobDriverOptions<JobParams>);
  await driver.settle();
  return driver;
}

export class JobDriver {
  readonly env: VirtualEnv;
  private readonly sources = new Map<string, ManualSource<unknown>>();
  private readonly sinks = new Map<string, RecordingSink<unknown>>();
  private readonly job: EmbeddedJob;

  constructor(built: BuiltJob, options: JobDriverOptions<JobParams>) {
    this.env = virtualEnv({ startMs: options.startMs });
    const replaced = this.replaceEnds(built, options);
    const { codegen, checkRecords } = options;
    this.job = startJob(replaced, { env: this.env, codegen, checkRecords });
  }

  /** Sends records to a source; their event times are the watermark strategy's matter. */
  async send(source: string, records: readonly unknown[]): Promise<void> {
    await this.sendTimed(
      source,
      records.map((value) => ({ value })),
    );
  }

  /** Sends records with event times of the source's own. */
  async sendTimed(source: string, records: readonly TimedRecord<unknown>[]): Promise<void> {
    this.source(source).send(records);
    await this.settle();
  }

  /** Moves processing time on; timers and idleness follow. */
  async advanceTime(ms: number): Promise<void> {
    this.env.advance(ms);
    await this.settle();
  }

  /** Ends the given source, or all of them. */
  async end(source?: string): Promise<void> {
    const ended = source === undefined ? [...this.sources.values()] : [this.source(source)];
    for (const each of ended) each.end();
    await this.settle();
  }

  /** Ends all sources and waits until the job has finished. */
  async finish(): Promise<JobResult> {
    for (const source of this.sources.values()) source.end();
    return this.job.done;
  }

  /** Stops the job where it stands. */
  cancel(): Promise<void> {
    return this.job.cancel();
  }

  /** Rejects when the job fails. */
  get done(): Promise<JobResult> {
    return this.job.done;
  }

  /** What a sink has received so far. */
  records<T = unknown>(sink: string): readonly SunkRecord<T>[] {
    const found = this.sinks.get(sink);
    if (found === undefined) throw unknownId('sink', sink, [...this.sinks.keys()]);
    return found.records as SunkRecord<T>[];
  }

  /** The values a sink has received so far. */
  values<T = unknown>(sink: string): readonly T[] {
    return this.records<T>(sink).map(({ value }) => value);
  }

  metrics(): JobMetrics {
    return this.job.metrics();
  }

  /** Waits until nothing happens any more without input or time. Throws if the job failed. */
  async settle(): Promise<void> {
    // A reluctant sink answers on a later turn; idle twice in a row is idle.
    for (let idle = 0; idle < 2; idle += 1) {
      await Promise.race([this.job.whenIdle(), this.job.done]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (this.job.progress().status === 'failed') await this.job.done;
  }

  private source(id: string): ManualSource<unknown> {
    const found = this.sources.get(id);
    if (found === undefined) throw unknownId('source', id, [...this.sources.keys()]);
    return found;
  }

  private replaceEnds(built: BuiltJob, options: JobDriverOptions<JobParams>): BuiltJob {
    const nodes = new Map(built.functions.nodes);
    for (const { id, kind } of built.graph.nodes) {
      if (kind === 'source') {
        const { watermarks } = nodes.get(id) as SourceDefinition;
        const source = new ManualSource<unknown>(options.cuts);
        this.sources.set(id, source);
        nodes.set(id, { source, watermarks });
      } else if (kind === 'sink') {
        const sink = new RecordingSink<unknown>(options.sinks);
        this.sinks.set(id, sink);
        nodes.set(id, sink);
      }
    }
    return { ...built, functions: { ...built.functions, nodes } };
  }
}

function unknownId(kind: string, id: string, known: readonly string[]): MillraceError {
  return new MillraceError('ERR_TEST_KIT', `the job has no ${kind} '${id}', only ${known.join()}`);
}
