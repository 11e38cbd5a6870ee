import type { RecordBatch, Sink, SinkContext, SinkWriter, StagedBlob } from '@millrace/core/spi';
import { describe, expect, test } from 'vitest';
import { sinkConformance } from './sink-conformance.js';
import { virtualEnv } from './virtual-env.js';

type Bug =
  | 'none'
  | 'publishes what is not committed'
  | 'forgets what a checkpoint had that was given up'
  | 'publishes again what was published'
  | 'does not publish what was committed when it opens'
  | 'keeps names of blobs';

interface Prepared {
  readonly staged: readonly StagedBlob[];
  readonly names: readonly string[];
}

/** A destination that takes rows under a name once. */
class MemoryWriter implements SinkWriter {
  private rows: number[] = [];
  private unpublished: { readonly checkpoint: number; readonly blob: StagedBlob }[] = [];
  private readonly context: SinkContext;
  private readonly published: Map<string, readonly number[]>;
  private readonly bug: Bug;

  constructor(context: SinkContext, published: Map<string, readonly number[]>, bug: Bug) {
    this.context = context;
    this.published = published;
    this.bug = bug;
  }

  async open(): Promise<void> {
    if (this.bug === 'does not publish what was committed when it opens') return;
    for (const each of (this.context.restored?.prepared ?? []) as Prepared[]) {
      for (const [index, blob] of each.staged.entries()) {
        const name = this.bug === 'keeps names of blobs' ? each.names[index]! : blob.blob;
        await this.publish({ ...blob, blob: name });
      }
    }
  }

  write({ values, count }: RecordBatch): undefined {
    const rows = values.slice(0, count) as number[];
    if (this.bug === 'publishes what is not committed') {
      this.published.set(`row ${rows[0]}`, rows);
    } else this.rows.push(...rows);
    return undefined;
  }

  async prepare(checkpoint: number): Promise<Prepared> {
    if (this.bug === 'forgets what a checkpoint had that was given up') this.unpublished = [];
    const writer = await this.context.staging!.create();
    await writer.write(new TextEncoder().encode(JSON.stringify(this.rows)));
    this.rows = [];
    this.unpublished.push({ checkpoint, blob: await writer.complete() });
    const staged = this.unpublished.map(({ blob }) => blob);
    return { staged, names: staged.map(({ blob }) => blob) };
  }

  async committed(checkpoint: number): Promise<void> {
    while (this.unpublished.length > 0 && this.unpublished[0]!.checkpoint <= checkpoint) {
      await this.publish(this.unpublished.shift()!.blob);
    }
  }

  private async publish(blob: StagedBlob): Promise<void> {
    const bytes = await this.context.staging!.read(blob, 0, blob.bytes);
    const rows = JSON.parse(new TextDecoder().decode(bytes)) as number[];
    if (rows.length === 0) return;
    const again = this.bug === 'publishes again what was published' ? blob.blob : '';
    this.published.set(`${rows[0]}${again}`, rows);
  }
}

const casesWith = (bug: Bug) =>
  sinkConformance('memory', async () => {
    const published = new Map<string, readonly number[]>();
    const sink: Sink<never> = {
      type: 'memory',
      guarantee: 'exactly-once',
      createWriter: (context) => new MemoryWriter(context, published, bug),
    };
    return {
      sink,
      record: (n) => n,
      visible: async () => [...published.values()].flat(),
      env: () => virtualEnv(),
    };
  });

const failuresWith = async (bug: Bug): Promise<number> => {
  const outcomes = await Promise.allSettled(casesWith(bug).map((each) => each.run()));
  return outcomes.filter(({ status }) => status === 'rejected').length;
};

describe('the conformance suite of sinks', () => {
  test('accepts a sink that keeps its promise', async () => {
    for (const each of casesWith('none')) await each.run();
  });

  test.each<Bug>([
    'publishes what is not committed',
    'forgets what a checkpoint had that was given up',
    'publishes again what was published',
    'does not publish what was committed when it opens',
    'keeps names of blobs',
  ])('finds one that %s', async (bug) => {
    expect(await failuresWith(bug)).toBeGreaterThan(0);
  });
});
