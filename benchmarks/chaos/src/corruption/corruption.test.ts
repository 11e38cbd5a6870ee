import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../random.js';
import { attack, outcomeOf } from './attack.js';
import { pathsIn, withFiles } from './image.js';
import type { Mutation } from './mutation.js';
import { mutateStructure } from './structural-mutations.js';
import { makeVictim, type Victim, victimNames } from './victim.js';

describe('damaged checkpoints', () => {
  test('are refused, gone back behind where that is allowed, or make no difference', async () => {
    const report = await attack({ mutations: 500, seed: 1, finishShare: 0.05 });
    expect(report.violation).toBeUndefined();
    const outcomes = new Set([...report.byVictim.values()].flatMap((row) => [...row.keys()]));
    for (const code of ['CHECKPOINT_CORRUPT', 'INVALID_OPTION', 'METADATA_ROLLBACK']) {
      expect(outcomes).toContain(`ERR_${code}`);
    }
    expect(outcomes).toContain('fell back');
    expect(outcomes).toContain('harmless');
    expect(report.byVictim.get('exactly-once')!.has('fell back')).toBe(false);
  });

  test('put back as they were earlier, marks and all: what a sink published tells', async () => {
    const victim = await makeVictim('exactly-once');
    const commits = pathsIn(victim.image, `${victim.folder}/commits/`).slice(-1);
    const marks = pathsIn(victim.image, `${victim.folder}/committed/`);
    const gone = [...commits, ...marks].map((path) => [path, undefined] as const);
    await expect(victim.finish(withFiles(victim.image, gone))).rejects.toMatchObject({
      code: 'ERR_SINK_CHANGED',
    });
  });
});

describe('the attack itself', () => {
  let victims: Victim[];

  beforeAll(async () => {
    victims = await Promise.all(victimNames.map((name) => makeVictim(name)));
  });

  const change = (victim: Victim, paths: readonly string[], bytes?: Uint8Array): Mutation => ({
    kind: 'by hand',
    what: paths.join(', '),
    image: withFiles(
      victim.image,
      paths.map((path) => [path, bytes] as const),
    ),
  });

  test('is on chains of several segments, and on checkpoints behind the newest', () => {
    for (const { name, filesRead, digests } of victims) {
      expect(filesRead.filter((path) => path.includes('task-0')).length).toBeGreaterThan(2);
      expect(digests.size).toBe(name === 'savepoint' ? 1 : 4);
      expect(new Set(digests.values()).size).toBe(digests.size);
    }
  });

  test('sees that nothing is damaged', async () => {
    for (const victim of victims) {
      expect(await outcomeOf(victim, change(victim, []), 'finish')).toEqual({ kind: 'harmless' });
    }
  });

  test('sees a wrong state', async () => {
    const [victim] = victims;
    const digests = new Map([...victim!.digests].map(([id]) => [id, 'another one']));
    expect(await outcomeOf({ ...victim!, digests }, change(victim!, []), 'restore')).toMatchObject({
      kind: 'violation',
      why: expect.stringContaining('wrong state'),
    });
  });

  test('sees wrong output', async () => {
    const [victim] = victims;
    const output = victim!.output.slice(1);
    expect(await outcomeOf({ ...victim!, output }, change(victim!, []), 'finish')).toMatchObject({
      why: expect.stringContaining('output'),
    });
  });

  test('sees a job go back behind its output', async () => {
    const victim = victims.find(({ name }) => name === 'upserts')!;
    const damage = change(victim, [victim.filesRead[0]!], new Uint8Array());
    expect(await outcomeOf(victim, damage, 'finish')).toEqual({ kind: 'fell back' });
    expect(await outcomeOf({ ...victim, mayGoBack: false }, damage, 'restore')).toMatchObject({
      why: expect.stringContaining('although output was published'),
    });
  });

  test('sees a job begin anew', async () => {
    const [victim] = victims;
    const all = pathsIn(victim!.image, victim!.folder);
    expect(await outcomeOf(victim!, change(victim!, all), 'restore')).toMatchObject({
      why: expect.stringContaining('begin anew'),
    });
  });

  test('comes to every kind of damage', () => {
    const kinds = victims.flatMap((victim) =>
      Array.from({ length: 200 }, (_, i) => mutateStructure(victim, new Random(i, 'kinds')).kind),
    );
    expect(new Set(kinds).size).toBe(14);
  });
});
