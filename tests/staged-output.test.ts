import { generator } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import {
  type RecordBatch,
  RecordFailure,
  type Sink,
  type SinkContext,
  type SinkWriter,
  type StagedBlob,
  type StagingWriter,
} from '@millrace/core/spi';
import { filter, sinkTo } from '@millrace/operators';
import type { RunOptions } from '@millrace/runtime';
import { beforeAll, describe, expect, test } from 'vitest';
import { diskForJobs, pass, start } from './durable-rig.js';

const total = 4_000;

/** Where output goes: what is put under a name once is not put there again. */
type Destination = Map<string, string>;

/** Keeps its rows in the checkpoint store until they are published. */
class StagingSinkWriter implements SinkWriter {
  private readonly context: SinkContext;
  private readonly destination: Destination;
  private readonly reject: (row: number) => boolean;
  private current: StagingWriter | undefined;
  private unpublished: { readonly checkpoint: number; readonly staged: StagedBlob }[] = [];

  constructor(context: SinkContext, destination: Destination, reject: (row: number) => boolean) {
    this.context = context;
    this.destination = destination;
    this.reject = reject;
  }

  async open(): Promise<void> {
    for (const prepared of this.context.restored?.prepared ?? []) {
      const { staged, checkpoints } = prepared as { staged: StagedBlob[]; checkpoints: number[] };
      for (const [i, blob] of staged.entries()) await this.publish(checkpoints[i]!, blob);
    }
  }

  async write({ values, count }: RecordBatch): Promise<void> {
    const rows = values.slice(0, count) as { n: number }[];
    const bad = rows.findIndex(({ n }) => this.reject(n));
    if (bad >= 0) {
      throw new RecordFailure(bad, this.context.operatorId, new RangeError('no such row'));
    }
    this.current ??= await this.context.staging!.create();
    await this.current.write(new TextEncoder().encode(rows.map(({ n }) => `${n}\n`).join('')));
  }

  async prepare(checkpoint: number): Promise<unknown> {
    if (this.current !== undefined) {
      this.unpublished.push({ checkpoint, staged: await this.current.complete() });
      this.current = undefined;
    }
    return {
      staged: this.unpublished.map(({ staged }) => staged),
      checkpoints: this.unpublished.map((output) => output.checkpoint),
    };
  }

  async committed(checkpoint: number): Promise<void> {
    while (this.unpublished.length > 0 && this.unpublished[0]!.checkpoint <= checkpoint) {
      const output = this.unpublished.shift()!;
      await this.publish(output.checkpoint, output.staged);
    }
  }

  async close(): Promise<void> {
    await this.current?.abort();
  }

  private async publish(checkpoint: number, staged: StagedBlob): Promise<void> {
    const bytes = await this.context.staging!.read(staged, 0, staged.bytes);
    const name = `${this.context.lineage!.id}-${checkpoint}`;
    const text = new TextDecoder().decode(bytes);
    expect(this.destination.get(name) ?? text).toBe(text);
    this.destination.set(name, text);
  }
}

const stagingJob = (destination: Destination, reject: (row: number) => boolean = () => false) =>
  defineJob('numbers', {}, (job) => {
    const sink: Sink<{ n: number }> = {
      type: 'staging',
      guarantee: 'exactly-once',
      createWriter: (context) => new StagingSinkWriter(context, destination, reject),
    };
    const numbers = generator({
      seed: 1,
      count: total,
      ratePerSecond: 2_000,
      create: (n) => ({ n, at: n }),
    });
    job
      .source(
        'in',
        numbers,
        watermarks((r) => r.at, { farFuture: 'off' }),
      )
      .pipe(
        filter((r) => r.n % 3 !== 0),
        sinkTo('out', sink),
      );
  });

const rowsOf = (destination: Destination): number[] =>
  [...destination.values()].flatMap((text) => text.trim().split('\n').map(Number));

describe('output that is kept in the checkpoint store until it is published', () => {
  let undisturbed: number[];
  beforeAll(async () => {
    const destination: Destination = new Map();
    const process = start(await diskForJobs(), stagingJob(destination));
    await pass(process);
    await process.handle.done;
    undisturbed = rowsOf(destination);
    expect(undisturbed).toEqual(
      Array.from({ length: total }, (_, n) => n).filter((n) => n % 3 !== 0),
    );
    expect(destination.size).toBeGreaterThan(10);
  });

  test.each([1, 2, 3, 4, 5])('is there once, however often the power is cut: %i', async (seed) => {
    let state = seed;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const disk = await diskForJobs();
    const destination: Destination = new Map();
    for (let cut = 0; cut < 8; cut += 1) {
      const process = start(disk, stagingJob(destination));
      const until = process.env.nowMs + 50 + random() * 400;
      await pass(process, () => process.env.nowMs >= until);
      disk.powerCut({ next: random });
    }
    const last = start(disk, stagingJob(destination));
    await pass(last);
    await last.handle.done;
    expect(rowsOf(destination)).toEqual(undisturbed);
    // Of the final checkpoint, and of the one before it that is retained.
    expect((await disk.list('/checkpoints/outputs')).length).toBeLessThanOrEqual(2);
  });

  test('of a finished job is published by the next process when it was not', async () => {
    const disk = await diskForJobs();
    const destination: Destination = new Map();
    const process = start(disk, stagingJob(destination));
    await pass(process);
    await process.handle.done;
    const [last] = [...destination.keys()].slice(-1);
    const text = destination.get(last!)!;
    destination.delete(last!);
    const again = start(disk, stagingJob(destination));
    await pass(again);
    expect(await again.handle.done).toMatchObject({ status: 'finished' });
    expect(destination.get(last!)).toBe(text);
  });
});

test('a sink is told when its job goes back on purpose, and what it goes back to', async () => {
  const disk = await diskForJobs();
  const contexts: SinkContext[] = [];
  const started = (options: Partial<RunOptions> = {}) => {
    const job = defineJob('numbers', {}, (builder) => {
      const sink: Sink<unknown> = {
        type: 'noting',
        guarantee: 'at-most-once',
        createWriter: (context) => {
          contexts.push(context);
          return { write: () => undefined };
        },
      };
      const numbers = generator({ seed: 1, count: total, ratePerSecond: 2_000, create: (n) => n });
      builder
        .source(
          'in',
          numbers,
          watermarks((n) => n, { farFuture: 'off' }),
        )
        .pipe(sinkTo('out', sink));
    });
    return start(disk, job, options);
  };
  const first = started();
  await pass(first, () => first.handle.progress().checkpoints?.committed === 2);
  const taking = first.handle.savepoint('s');
  await pass(first, () => (first.handle.progress().checkpoints?.committed ?? 0) > 4);
  const savepoint = await taking;
  await first.handle.cancel();
  const folder = '/checkpoints';
  const from = `${folder}/savepoints/s`;
  const back = started({ checkpoints: { folder, from, acceptReplay: true } });
  await pass(back, () => contexts.length > 1);
  await back.handle.cancel();

  const [before, after] = contexts;
  expect(before).toMatchObject({ job: 'numbers', replay: 'refused', restored: undefined });
  expect(before!.lineage!.parent).toBeUndefined();
  expect(after).toMatchObject({
    replay: 'accepted',
    restored: { checkpoint: savepoint.checkpoint },
    lineage: { parent: { lineage: before!.lineage!.id, checkpoint: savepoint.checkpoint } },
  });
});

test('a record that its sink cannot write is named by where it stood in its source', async () => {
  const process = start(
    await diskForJobs(),
    stagingJob(new Map(), (n) => n === 1_711),
  );
  await pass(process);
  await expect(process.handle.done).rejects.toMatchObject({
    code: 'ERR_POISON_RECORD',
    operator: 'out',
    // Of three records the filter let two through: which one this was is not kept.
    position: expect.stringMatching(/^between 0@\d+ and 0@\d+$/),
    detail: expect.stringContaining('no such row'),
  });
});
