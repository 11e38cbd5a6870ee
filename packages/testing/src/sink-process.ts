import { createHash } from 'node:crypto';
import {
  type Env,
  type OutputStaging,
  RecordBatch,
  type Sink,
  type SinkContext,
  type SinkRestore,
  type SinkWriter,
  type StagedBlob,
} from '@millrace/core/spi';

/** Records of the whole job, by number from 0. */
export const recordsOfJob = 14;

/** Checkpoints that are prepared and then given up. */
const isAborted = (checkpoint: number): boolean => checkpoint === 2;
/** Checkpoints whose commit the sink hears of only after the next one was prepared. */
const isToldLate = (checkpoint: number): boolean => checkpoint === 3;

/**
 * What outlives the processes of a job: its commit record, and the checkpoint store with the blobs
 * that the last committed and the last prepared checkpoint name.
 */
export class SinkJob {
  committed: (SinkRestore & { readonly nextRecord: number }) | undefined;
  /** The process that may commit: the one that began last. */
  owner = '';
  private nextCheckpoint = 1;
  private readonly blobs = new Map<string, Uint8Array>();
  private named = 0;

  newCheckpoint(): number {
    return this.nextCheckpoint++;
  }

  /** Gives the blobs of the last checkpoint other names, as when a savepoint is adopted. */
  adopt(): void {
    const { committed } = this;
    if (committed === undefined) return;
    const prepared = committed.prepared.map((each) => this.renamed(each));
    this.committed = { ...committed, prepared };
  }

  commit(checkpoint: number, prepared: unknown, nextRecord: number): void {
    const needed = new Set(stagedIn(prepared).map(({ blob }) => blob));
    for (const name of this.blobs.keys()) if (!needed.has(name)) this.blobs.delete(name);
    this.committed = { checkpoint, prepared: [prepared], nextRecord };
  }

  readonly staging: OutputStaging = {
    create: async () => {
      const parts: Uint8Array[] = [];
      return {
        write: async (bytes) => {
          parts.push(bytes.slice());
        },
        complete: async () => this.put(Buffer.concat(parts)),
        abort: async () => undefined,
      };
    },
    read: async ({ blob }, fromByte, length) => {
      const bytes = this.blobs.get(blob);
      if (bytes === undefined) throw new Error(`no blob ${blob}: prepare did not name it`);
      return bytes.slice(fromByte, fromByte + length);
    },
  };

  private put(bytes: Uint8Array): StagedBlob {
    this.named += 1;
    const blob = `outputs/${this.named}`;
    this.blobs.set(blob, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { blob, bytes: bytes.length, sha256 };
  }

  private renamed(prepared: unknown): unknown {
    const staged = stagedIn(prepared);
    if (staged.length === 0) return prepared;
    const renamed = staged.map(({ blob }) => this.put(this.blobs.get(blob)!));
    for (const { blob } of staged) this.blobs.delete(blob);
    return { ...(prepared as object), staged: renamed };
  }
}

function stagedIn(prepared: unknown): readonly StagedBlob[] {
  return (prepared as { staged?: readonly StagedBlob[] } | null)?.staged ?? [];
}

/** What a process does next; with `leave` it never does, with `leave during` nobody waits for it. */
export type BeforeCall = (
  call: string,
  index: number,
) => 'go on' | 'leave' | 'leave during' | Promise<'go on'>;

export interface SinkProcessParts {
  readonly sink: Sink<never>;
  readonly record: (n: number) => unknown;
  readonly job: SinkJob;
  readonly name: string;
  readonly env: Env;
}

/** Ends a run without a word, as a crash does. */
class Left extends Error {}

/**
 * One process of a job with one sink, as the engine would run it: from the last commit to the end
 * of the input, with a checkpoint every two records.
 */
export class SinkProcess {
  /** Calls that were begun. */
  calls = 0;
  private readonly parts: SinkProcessParts;
  private readonly before: BeforeCall;
  private writer: SinkWriter | undefined;
  private abandoned: Promise<unknown> = Promise.resolve();

  constructor(parts: SinkProcessParts, before: BeforeCall = () => 'go on') {
    this.parts = parts;
    this.before = before;
  }

  /**
   * True when it came to its end; false when it was left on the way. Rejects when its sink fails,
   * or another process has taken over.
   */
  async run(): Promise<boolean> {
    try {
      await this.script();
      return true;
    } catch (error) {
      if (error instanceof Left) return false;
      throw error;
    }
  }

  /** Resolves when nothing of it is under way any more, and frees what it had open. */
  async bury(): Promise<void> {
    await this.abandoned.catch(() => undefined);
    await this.writer?.close?.().catch(() => undefined);
  }

  private async script(): Promise<void> {
    const { job, name, sink, record } = this.parts;
    job.owner = name;
    const restored = job.committed;
    const writer = sink.createWriter(this.context(restored));
    this.writer = writer;
    await this.call('open', () => writer.open?.());
    const untold: number[] = [];
    for (let next = restored?.nextRecord ?? 0; next < recordsOfJob; next += 1) {
      await this.call(`write ${next}`, () => writer.write(batchOf(record(next))));
      if (next % 3 === 0) await this.call('flush', () => writer.flush?.());
      if (next % 2 === 1) await this.checkpoint(writer, next + 1, untold);
    }
    await this.call('finish', () => writer.finish?.());
    await this.checkpoint(writer, recordsOfJob, untold);
    await this.call('close', () => writer.close?.());
  }

  private async checkpoint(writer: SinkWriter, next: number, untold: number[]): Promise<void> {
    const { job, name } = this.parts;
    const checkpoint = job.newCheckpoint();
    const given = await this.call(`prepare ${checkpoint}`, () => writer.prepare?.(checkpoint));
    if (isAborted(checkpoint)) return;
    if (job.owner !== name) throw new Error('another process has taken over');
    // As it is in a manifest.
    job.commit(checkpoint, JSON.parse(JSON.stringify(given ?? null)), next);
    untold.push(checkpoint);
    if (isToldLate(checkpoint)) return;
    for (const told of untold.splice(0)) {
      await this.call(`committed ${told}`, () => writer.committed?.(told));
    }
  }

  private async call<R>(what: string, action: () => R | Promise<R>): Promise<R> {
    const decision = await this.before(what, this.calls);
    this.calls += 1;
    if (decision === 'leave') throw new Left();
    const result = action();
    if (decision === 'go on') return result;
    this.abandoned = Promise.resolve(result);
    this.abandoned.catch(() => undefined);
    throw new Left();
  }

  private context(restored: SinkRestore | undefined): SinkContext {
    const { env, job } = this.parts;
    return {
      job: 'conformance',
      operatorId: 'out',
      subtask: 0,
      parallelism: 1,
      env,
      log: env.log,
      metrics: { counter: () => ({ inc: () => undefined, value: 0 }), gauge: () => undefined },
      checkpoints: 'on',
      restored,
      lineage: { id: 'one', parent: undefined },
      replay: 'refused',
      staging: job.staging,
    };
  }
}

function batchOf(value: unknown): RecordBatch {
  const batch = new RecordBatch();
  batch.emit(value, 0);
  return batch;
}
