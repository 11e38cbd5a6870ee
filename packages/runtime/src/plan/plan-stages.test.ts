import { defineJob, type JobBuilder, type Stream } from '@millrace/core';
import {
  aggregate,
  count,
  filter,
  flatMap,
  keyBy,
  map,
  sinkTo,
  tumbling,
  union,
  window,
} from '@millrace/operators';
import { ManualSource, RecordingSink } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { planStages } from './plan-stages.js';
import type { StagePlan } from './stage-plan.js';

type Build = (input: Stream<number>, job: JobBuilder) => unknown;

const out = (id = 'out') => sinkTo<unknown>(id, new RecordingSink());
const copy = (id: string) => map((n: number) => n, { id });
const byValue = keyBy((n: number) => n);
const counted = (s: Stream<number>) =>
  s.pipe(byValue, window('w', tumbling(10)), aggregate({ n: count() }));

/** Each stage as `what it runs → where its output goes`. */
function plan(build: Build, fusion: 'on' | 'off' = 'on'): readonly string[] {
  const job = defineJob('plan', {}, (builder) => {
    build(builder.source('in', new ManualSource<number>()), builder);
  }).build();
  const stages = planStages(job, { fusion });
  return stages.map((stage, index) => {
    expect(stage.index).toBe(index);
    const targets = stage.outputs.flatMap(({ node, port, targets: all }) =>
      all.map((target) => `${port === '' ? '' : `${node}.${port}: `}${target.stage}`),
    );
    return targets.length === 0 ? runs(stage) : `${runs(stage)} → ${targets.join(', ')}`;
  });
}

function runs(stage: StagePlan): string {
  const steps = (all: readonly { readonly node: { readonly id: string } }[]): string[] =>
    all.map(({ node }) => node.id);
  const ids = (names: readonly (string | undefined)[]): string =>
    names.filter((name) => name !== undefined).join(' ');
  if (stage.kind === 'sink') return stage.node.id;
  if (stage.kind === 'loop') {
    return ids([stage.source?.id, ...steps(stage.steps), stage.keys && 'keys']);
  }
  const { fused } = stage;
  if (fused === undefined) return stage.node.id;
  return ids([fused.source?.id, ...steps(fused.steps), 'keys', stage.node.id]);
}

describe('planStages', () => {
  test.each<[string, Build, readonly string[]]>([
    ['source and sink', (s) => s.pipe(out()), ['in → 1', 'out']],
    [
      'maps and filters run in the loop of their source',
      (s) =>
        s.pipe(
          copy('a'),
          filter(() => true, { id: 'b' }),
          copy('c'),
          out(),
        ),
      ['in a b c → 1', 'out'],
    ],
    [
      'a keyed operator is fused with all that is ahead of it',
      (s) => counted(s.pipe(copy('a'))).pipe(out()),
      ['in a keys w → 1', 'out'],
    ],
    [
      'what follows a keyed operator is another loop',
      (s) =>
        counted(s).pipe(
          map((r) => r.n, { id: 'n' }),
          out(),
        ),
      ['in keys w → 1', 'n → 2', 'out'],
    ],
    [
      'a source that several read is a loop of its own',
      (s) => {
        s.pipe(copy('a'), out('x'));
        s.pipe(copy('b'), out('y'));
      },
      ['in → 1, 2', 'a → 3', 'b → 4', 'x', 'y'],
    ],
    [
      'an operator of many rows stands alone',
      (s) =>
        s.pipe(
          flatMap((n) => [n], { id: 'f' }),
          copy('a'),
          out(),
        ),
      ['in → 1', 'f → 2', 'a → 3', 'out'],
    ],
    [
      'a union has a channel from each side',
      (s, job) => s.pipe(copy('a'), union(job.source('other', new ManualSource<number>())), out()),
      ['in a → 2', 'other → 2', 'a/union → 3', 'out'],
    ],
    [
      'dead letters of a fused step leave by the stage it is in',
      (s) => {
        const a = s.pipe(map((n) => n, { id: 'a', onError: 'deadLetter' }));
        a.side.deadLetters.pipe(out('dead'));
        counted(a).pipe(out());
      },
      ['in a keys w → a.deadLetters: 1, 2', 'dead', 'out'],
    ],
    [
      'dead letters of a source leave by the stage that reads it',
      (s) => {
        (s as ReturnType<JobBuilder['source']>).side.deadLetters.pipe(out('dead'));
        s.pipe(copy('a'), out());
      },
      ['in a → 1, in.deadLetters: 2', 'out', 'dead'],
    ],
  ])('%s', (_name, build, expected) => {
    expect(plan(build)).toEqual(expected);
  });

  test('without fusion the keyed edge is a channel', () => {
    const build: Build = (s) => counted(s.pipe(copy('a'))).pipe(out());
    expect(plan(build, 'off')).toEqual(['in a keys → 1', 'w → 2', 'out']);
  });
});
