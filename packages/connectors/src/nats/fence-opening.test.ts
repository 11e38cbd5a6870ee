import { describe, expect, test } from 'vitest';
import type { Fence } from './fence-marker.js';
import { decideOpening, type OpeningFacts, type RestoredShard } from './fence-opening.js';

const fence = (
  lineage: string,
  checkpoint: number,
  { chunk = 1, of = 1, sequence = 100 } = {},
): Fence => ({
  sequence,
  marker: { format: 1, job: 'j', sink: 's', shard: 0, lineage, checkpoint, chunk, of },
});

const restored = (
  checkpoint: number,
  entries: readonly (readonly [checkpoint: number, chunks: number])[],
  known: RestoredShard['known'] = { lineage: 'one', sequence: 90 },
): RestoredShard => ({
  checkpoint,
  entries: entries.map(([of, chunks]) => ({ checkpoint: of, chunks })),
  known,
});

const one = { id: 'one', parent: undefined };
/** Forked from checkpoint 5 of `one`. */
const two = { id: 'two', parent: { lineage: 'one', checkpoint: 5 } };

/** A line for a decision: where it goes on, or why it does not. */
function decide(facts: Partial<OpeningFacts>): string {
  const decision = decideOpening({
    fence: undefined,
    lineage: one,
    replay: 'refused',
    existing: 'refuse',
    restored: undefined,
    ...facts,
  });
  if (decision.kind === 'refuse') {
    return `${decision.code}${decision.mayBeStale ? ' look again' : ''}`;
  }
  const { sequence, from, mark, again } = decision;
  const marked = mark === undefined ? '' : `, mark ${mark.checkpoint}:${mark.chunk}/${mark.of}`;
  const said = again === undefined ? '' : ', again';
  return `behind ${sequence} from entry ${from.entry} chunk ${from.chunk}${marked}${said}`;
}

describe('a job that begins with nothing', () => {
  test.each<[string, Partial<OpeningFacts>, string]>([
    ['finds no fence', {}, 'behind 0 from entry 0 chunk 0'],
    ['finds one of another history', { fence: fence('zero', 7) }, 'ERR_SINK_FENCED'],
    [
      'is told to take that over',
      { fence: fence('zero', 7), existing: 'takeOver' },
      'behind 100 from entry 0 chunk 0, mark 0:0/0, again',
    ],
    [
      'is told that a replay is accepted',
      { fence: fence('zero', 7), replay: 'accepted' },
      'behind 100 from entry 0 chunk 0, mark 0:0/0, again',
    ],
    [
      'finds the mark it had left before its first checkpoint',
      { fence: fence('one', 0, { chunk: 0, of: 0 }) },
      'behind 100 from entry 0 chunk 0',
    ],
    [
      'has published before: its record is gone',
      { fence: fence('one', 3) },
      'ERR_METADATA_ROLLBACK',
    ],
  ])('%s', (_, facts, expected) => {
    expect(decide(facts)).toBe(expected);
  });
});

describe('a job that goes on from checkpoint 5, which prepared three chunks', () => {
  const five = restored(5, [[5, 3]]);
  test.each<[string, Partial<OpeningFacts>, string]>([
    ['the fence is at checkpoint 4', { fence: fence('one', 4) }, 'from entry 0 chunk 0'],
    ['at chunk 1', { fence: fence('one', 5, { chunk: 1, of: 3 }) }, 'from entry 0 chunk 1'],
    ['at chunk 2', { fence: fence('one', 5, { chunk: 2, of: 3 }) }, 'from entry 0 chunk 2'],
    ['at the last chunk', { fence: fence('one', 5, { chunk: 3, of: 3 }) }, 'from entry 1 chunk 0'],
    [
      'is where it was when that was prepared',
      { fence: fence('one', 4, { sequence: 90 }) },
      'chunk 0',
    ],
  ])('%s', (_, facts, expected) => {
    expect(decide({ ...facts, restored: five })).toContain(expected);
  });

  test.each<[string, Partial<OpeningFacts>, string]>([
    [
      'there is a newer one: the record went back',
      { fence: fence('one', 6) },
      'ERR_METADATA_ROLLBACK',
    ],
    [
      'the fence went back: the stream lost messages',
      { fence: fence('one', 4, { sequence: 80 }) },
      'ERR_SINK_CHANGED look again',
    ],
    ['the fence is gone', {}, 'ERR_SINK_CHANGED look again'],
    ['another history took over', { fence: fence('two', 5) }, 'ERR_SINK_FENCED'],
    [
      'another history took over, which this one may not take back',
      { fence: fence('two', 5), replay: 'accepted', existing: 'takeOver' },
      'ERR_SINK_FENCED',
    ],
    [
      'other chunks were published for it',
      { fence: fence('one', 5, { chunk: 1, of: 2 }) },
      'ERR_SINK_CHANGED look again',
    ],
    [
      'an older one was not published to its end',
      { fence: fence('one', 4, { chunk: 1, of: 2 }) },
      'ERR_SINK_CHANGED look again',
    ],
  ])('%s', (_, facts, expected) => {
    expect(decide({ ...facts, restored: five })).toBe(expected);
  });

  test('the fence is gone, and it was told to go on all the same', () => {
    expect(decide({ restored: five, existing: 'takeOver' })).toBe(
      'behind 0 from entry 0 chunk 0, mark 5:0/3, again',
    );
  });

  test('the fence went back, and it was told to go on from there', () => {
    const back = fence('one', 4, { sequence: 80 });
    expect(decide({ restored: five, existing: 'takeOver', fence: back })).toBe(
      'behind 80 from entry 0 chunk 0',
    );
  });

  test('nothing was published before', () => {
    const first = restored(1, [[1, 2]], { lineage: 'one', sequence: 0 });
    expect(decide({ restored: first })).toBe('behind 0 from entry 0 chunk 0');
  });

  test('output of a checkpoint that was given up goes with the next one', () => {
    const two = restored(5, [
      [4, 2],
      [5, 1],
    ]);
    expect(decide({ restored: two, fence: fence('one', 3) })).toContain('entry 0 chunk 0');
    const half = fence('one', 4, { chunk: 1, of: 2 });
    expect(decide({ restored: two, fence: half })).toContain('entry 0 chunk 1');
    const whole = fence('one', 4, { chunk: 2, of: 2 });
    expect(decide({ restored: two, fence: whole })).toContain('entry 1 chunk 0');
    expect(decide({ restored: two, fence: fence('one', 5) })).toContain('entry 2 chunk 0');
  });

  test('the sink is new in it', () => {
    const none: RestoredShard = { checkpoint: 5, entries: [], known: undefined };
    expect(decide({ restored: none })).toBe('behind 0 from entry 0 chunk 0');
    expect(decide({ restored: none, fence: fence('one', 4) })).toBe(
      'behind 100 from entry 0 chunk 0',
    );
    expect(decide({ restored: none, fence: fence('one', 6) })).toBe('ERR_METADATA_ROLLBACK');
    expect(decide({ restored: none, fence: fence('zero', 4) })).toBe('ERR_SINK_FENCED');
  });
});

describe('a history that was forked from checkpoint 5 of another', () => {
  const five = restored(5, [[5, 3]]);
  const facts: Partial<OpeningFacts> = { lineage: two, restored: five };

  test.each<[string, Partial<OpeningFacts>, string]>([
    [
      'which had published less: the rest, after a mark',
      { fence: fence('one', 5, { chunk: 1, of: 3 }) },
      'behind 100 from entry 0 chunk 1, mark 5:1/3',
    ],
    [
      'which had published just that: a mark',
      { fence: fence('one', 5, { chunk: 3, of: 3 }) },
      'behind 100 from entry 1 chunk 0, mark 5:3/3',
    ],
    ['which has published more', { fence: fence('one', 8) }, 'ERR_REPLAY_NOT_ACCEPTED'],
    [
      'which has published more, and that is accepted',
      { fence: fence('one', 8), replay: 'accepted' },
      'behind 100 from entry 1 chunk 0, mark 5:3/3, again',
    ],
    ['and the fence is a third one’s', { fence: fence('three', 2) }, 'ERR_SINK_FENCED'],
    [
      'and the fence is a third one’s, which is accepted',
      { fence: fence('three', 2), replay: 'accepted' },
      'behind 100 from entry 0 chunk 0, mark 5:0/3, again',
    ],
    [
      'and has left its mark already',
      { fence: fence('two', 5, { chunk: 1, of: 3 }) },
      'behind 100 from entry 0 chunk 1',
    ],
    [
      'and the stream lost messages',
      { fence: fence('one', 4, { sequence: 80 }) },
      'ERR_SINK_CHANGED look again',
    ],
  ])('%s', (_, more, expected) => {
    expect(decide({ ...facts, ...more })).toBe(expected);
  });

  test('that had published nothing: a mark all the same', () => {
    const first = restored(5, [[5, 3]], { lineage: 'one', sequence: 0 });
    expect(decide({ lineage: two, restored: first })).toBe(
      'behind 0 from entry 0 chunk 0, mark 5:0/3',
    );
  });

  test('says how much is published again', () => {
    const decision = decideOpening({
      ...(facts as OpeningFacts),
      existing: 'refuse',
      replay: 'accepted',
      fence: fence('one', 8, { sequence: 1_090 }),
    });
    expect(decision).toMatchObject({
      again:
        'what checkpoint 8 of history one published after checkpoint 5 (at most 1000 messages)',
    });
  });

  test('has taken checkpoints of its own: the fence must be its own', () => {
    const own = restored(9, [[9, 1]], { lineage: 'two', sequence: 90 });
    const decided = decide({
      lineage: two,
      restored: own,
      fence: fence('one', 8),
      replay: 'accepted',
    });
    expect(decided).toBe('ERR_SINK_FENCED');
  });
});
