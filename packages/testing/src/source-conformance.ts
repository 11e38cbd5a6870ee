import assert from 'node:assert/strict';
import type { Env, Source } from '@millrace/core/spi';
import type { ConformanceCase } from './conformance-case.js';
import { type ReadRecord, type SourceCheckpoint, SourceRun } from './source-run.js';

/** A bounded source of known records, which replays exactly. */
export interface SourceUnderTest {
  readonly source: Source<unknown>;
  readonly env: Env;
  /** What each split gives, in its order: more than 20 records each. */
  readonly expected: Readonly<Record<string, readonly unknown[]>>;
  /** What of a record is compared with `expected`. Default: all of it. */
  readonly comparable?: ((record: unknown) => unknown) | undefined;
  /** Kills what the source reads from, and brings it back. */
  readonly disturb?: (() => Promise<void>) | undefined;
  /** Removes or replaces what was read, so that nobody can say what came after it. */
  readonly replace?: (() => Promise<void>) | undefined;
  /** How many records have left the outside, whether or not the job has taken them. */
  readonly fetched?: (() => Promise<number>) | undefined;
  /** How many of them may wait for the job; fewer than there are. */
  readonly heldMax?: number | undefined;
  close?(): Promise<void>;
}

/** The cases by name. */
export type SourceCase = keyof typeof cases;

/**
 * The contract of `Source` and `SourceReader` as cases.
 *
 * @param create called for each case, and more than once in some
 * @param skip cases that cannot be, with the reason
 * @example
 * const cases = sourceConformance('ndjson', create, { 'a disturbed source …': 'nobody disturbs it' });
 * for (const { name, skipped, run } of cases) test.skipIf(skipped !== undefined)(name, run);
 */
export function sourceConformance(
  name: string,
  create: () => Promise<SourceUnderTest>,
  skip: Readonly<Partial<Record<SourceCase, string>>> = {},
): readonly ConformanceCase[] {
  return Object.entries(cases).map(([title, check]) => ({
    name: `${name}: ${title}`,
    skipped: skip[title as SourceCase],
    run: () => inTrial(create, check),
  }));
}

/** A source, and the runs of it. */
class Trial {
  readonly subject: SourceUnderTest;
  private readonly runs: SourceRun[] = [];

  constructor(subject: SourceUnderTest) {
    this.subject = subject;
  }

  async start(from?: SourceCheckpoint): Promise<SourceRun> {
    const { source, env } = this.subject;
    const run = await SourceRun.start(source, env, from);
    this.runs.push(run);
    return run;
  }

  get splits(): readonly string[] {
    return Object.keys(this.subject.expected);
  }

  /** How many records there are. */
  get total(): number {
    return Object.values(this.subject.expected).reduce((sum, { length }) => sum + length, 0);
  }

  /** All records came once, those of a split in its order. */
  check(records: readonly ReadRecord[], moment: string): void {
    const { expected, comparable = (record) => record } = this.subject;
    const seen = Object.fromEntries(this.splits.map((split) => [split, [] as unknown[]]));
    for (const { split, value } of records) seen[split]!.push(comparable(value));
    assert.deepEqual(seen, expected, moment);
  }

  async end(): Promise<void> {
    for (const run of this.runs) await run.close();
    await this.subject.close?.();
  }
}

async function inTrial(
  create: () => Promise<SourceUnderTest>,
  use: (trial: Trial) => Promise<void>,
): Promise<void> {
  const trial = new Trial(await create());
  try {
    await use(trial);
  } finally {
    await trial.end();
  }
}

/** Records by split with their places, as a restart must give them again. */
function bySplit(records: readonly ReadRecord[]): Readonly<Record<string, readonly unknown[]>> {
  const parts: Record<string, unknown[]> = {};
  for (const { split, place, value, timeMs } of records) {
    parts[split] ??= [];
    parts[split].push({ place, value, timeMs });
  }
  return parts;
}

const cases = {
  'says that it ends and replays': async ({ subject }: Trial) => {
    assert.equal(subject.source.bounded, true);
    assert.equal(subject.source.replay, 'exact');
  },
  'gives every record once, in the order of its split, however many are asked for': async (
    trial: Trial,
  ) => {
    for (const max of [1, 7, 512]) {
      const run = await trial.start();
      trial.check(await run.readAll(max), `at most ${max} at once`);
      // At the end it stays.
      assert.equal(run.reader.poll(1), 'end');
      await run.close();
    }
  },
  'goes on from the checkpoint after any chunk': async (trial: Trial) => {
    for (const max of [1, 5, Math.ceil(trial.total / 20)]) {
      const all: ReadRecord[] = [];
      let from: SourceCheckpoint | undefined;
      for (let restarts = 0; restarts < 25; restarts += 1) {
        const run = await trial.start(from);
        const part = await run.read(max);
        if (part !== 'end') all.push(...part);
        from = run.checkpoint();
        await run.close();
      }
      const last = await trial.start(from);
      trial.check([...all, ...(await last.readAll())], `at most ${max} at once`);
    }
  },
  'gives the same from one checkpoint each time, with places and times': async (trial: Trial) => {
    const run = await trial.start();
    const before = await run.readSome(trial.total / 3);
    const from = run.checkpoint();
    const first = await run.readAll();
    trial.check([...before, ...first], 'without a restart');
    for (const time of ['first', 'second']) {
      const again = await trial.start(from);
      assert.deepEqual(bySplit(await again.readAll(11)), bySplit(first), `the ${time} time`);
    }
  },
  'a checkpoint is JSON of its own, before the first record, too': async (trial: Trial) => {
    const run = await trial.start();
    const first = run.checkpoint();
    assert.deepEqual(JSON.parse(JSON.stringify(first)), first);
    const text = JSON.stringify(first);
    const records = await run.readAll();
    assert.equal(JSON.stringify(first), text, 'reading on changed it');
    trial.check(await (await trial.start(first)).readAll(), 'from the first one');
    trial.check(records, 'without a restart');
  },
  'reads nothing again that has ended': async (trial: Trial) => {
    const run = await trial.start();
    await run.readAll();
    const over = run.checkpoint();
    assert.deepEqual(over.splits, []);
    assert.deepEqual(await (await trial.start(over)).readAll(), []);
  },
  'an attempt that is closed in the middle leaves nothing behind': async (trial: Trial) => {
    const run = await trial.start();
    await run.readSome(10);
    await run.close();
    const unread = await trial.start();
    await unread.close();
    trial.check(await (await trial.start()).readAll(), 'afterwards');
  },
  'paused splits give nothing, and go on where they were': async (trial: Trial) => {
    const [paused = '', ...others] = trial.splits;
    const run = await trial.start();
    const all = await run.readSome(5);
    run.reader.pauseSplits([paused]);
    const rest = others.reduce((sum, id) => sum + trial.subject.expected[id]!.length, 0);
    const isOther = ({ split }: ReadRecord) => split !== paused;
    while (all.filter(isOther).length < rest) {
      const part = await run.read(9);
      assert.notEqual(part, 'end', 'it ended while a split was paused');
      if (part === 'end') return;
      assert.ok(part.every(isOther), 'the paused split gave a record');
      all.push(...part);
    }
    run.drain();
    assert.equal(run.reader.poll(9), undefined);
    run.reader.resumeSplits([paused]);
    trial.check([...all, ...(await run.readAll())], 'in the end');
  },
  'says of no split that it is empty while it has records': async (trial: Trial) => {
    const { env, disturb } = trial.subject;
    for (const max of [1, 7, 512]) {
      const run = await trial.start();
      const left = new Map(trial.splits.map((id) => [id, trial.subject.expected[id]!.length]));
      const check = (moment: string): void => {
        for (const [id, count] of left) {
          if (count === 0 || run.reader.isSplitEmpty?.(id) !== true) continue;
          assert.fail(`${moment}, at most ${max} at once: ${id} has ${count} records`);
        }
      };
      check('before the first record');
      if (max === 7) await disturb?.();
      for (;;) {
        // Time to hear of the outside, or not.
        await env.scheduler.yield();
        check('ahead of reading');
        const part = await run.read(max);
        if (part === 'end') break;
        for (const { split } of part) left.set(split, left.get(split)! - 1);
        check('behind a chunk');
      }
      await run.close();
    }
  },
  'is told of checkpoints, and gives the same': async (trial: Trial) => {
    const run = await trial.start();
    const all: ReadRecord[] = [];
    for (let id = 1; ; id += 1) {
      const part = await run.read(16);
      if (part === 'end') break;
      all.push(...part);
      run.reader.snapshot(id);
      // Every third one fails.
      if (id % 3 !== 0) await run.reader.committed?.(id);
    }
    trial.check(all, 'in the end');
  },
  'takes no more from the outside than it may hold': async (trial: Trial) => {
    const { fetched, heldMax, env } = trial.subject;
    assert.ok(fetched !== undefined && heldMax !== undefined, 'there is no `fetched`');
    assert.ok(heldMax < trial.total, 'it may hold all there is');
    const before = await fetched();
    const run = await trial.start();
    let taken = 0;
    for (let asked = 1; asked <= 20; asked += 1) {
      taken += (await run.readSome(1)).length;
      // Time to take more than it may.
      for (let turns = 0; turns < 20; turns += 1) await env.scheduler.yield();
      const held = (await fetched()) - before - taken;
      assert.ok(held <= heldMax, `it holds ${held}`);
    }
  },
  'loses and doubles nothing when the outside is killed and comes back': async (trial: Trial) => {
    const { disturb } = trial.subject;
    assert.ok(disturb !== undefined, 'the source under test has no `disturb`');
    const run = await trial.start();
    const all = await run.readSome(trial.total / 3);
    await disturb();
    all.push(...(await run.readSome(trial.total / 3)));
    const from = run.checkpoint();
    await disturb();
    const rest = await run.readAll();
    trial.check([...all, ...rest], 'without a restart');
    await disturb();
    trial.check([...all, ...(await (await trial.start(from)).readAll())], 'with one');
  },
  'refuses to go on where what was read is gone or another one': async (trial: Trial) => {
    const { replace } = trial.subject;
    assert.ok(replace !== undefined, 'the source under test has no `replace`');
    const run = await trial.start();
    for (const seen = new Set<string>(); seen.size < trial.splits.length; ) {
      for (const { split } of await run.readSome(1)) seen.add(split);
    }
    const from = run.checkpoint();
    await run.close();
    await replace();
    const refused = async () => (await trial.start(from)).readAll();
    await assert.rejects(refused, { code: 'ERR_SOURCE_CHANGED' });
  },
} as const;
