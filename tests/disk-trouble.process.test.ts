import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillUp, type LivingJob, remount, sortedLines, Workshop } from './disk-trouble-rig.js';

const workshop = new Workshop();
afterAll(() => workshop.clear());

const smallBytes = 2 << 20;
/** Undefined where this process may not mount anything. */
const small = workshop.mountSmall('small', smallBytes);
const reading = workshop.mountSmall('reading', smallBytes);
const mountReason = 'mounting a file system takes the rights of root';

let undisturbed: readonly string[];

beforeAll(async () => {
  const job = workshop.start(join(workshop.folder, 'first'), join(workshop.folder, 'first.csv'));
  expect(await job.end()).toBe('finished');
  undisturbed = sortedLines(join(workshop.folder, 'first.csv'));
  expect(undisturbed.length).toBeGreaterThan(8_000);
});

const hasCommitted = (job: LivingJob) => job.until(({ committed }) => committed !== undefined);

/** Lets a job whose checkpoints fail from now on go on for some hundred records. */
async function goOnWithAlarm(job: LivingJob, code: string): Promise<void> {
  const { recordsIn, committed } = await job.until(({ alarm }) => alarm !== undefined);
  job.allow(6_000);
  const later = await job.until((said) => said.recordsIn > recordsIn + 500);
  expect(later).toMatchObject({ alarm: code, committed, attempts: 1, status: 'running' });
  expect(job.log).toMatch(/"level":"warn".*checkpoints fail, and the job goes on without them/);
  expect(job.log).toContain(code);
}

/** Lets it recover and end. */
async function recover(job: LivingJob, output: string): Promise<void> {
  const { committed } = job.last!;
  const recovered = await job.until(({ alarm }) => alarm === undefined);
  expect(recovered.committed).toBeGreaterThan(committed!);
  expect(await job.end()).toBe('finished');
  expect(sortedLines(output)).toEqual(undisturbed);
}

describe.skipIf(small === undefined || reading === undefined)(
  `a checkpoint folder on a small disk (${mountReason})`,
  { concurrent: true },
  () => {
    test('that is full: the job goes on, and commits again when there is space', async () => {
      const output = join(workshop.folder, 'full.csv');
      const job = workshop.start(join(small!, 'checkpoints'), output);
      await hasCommitted(job);
      fillUp(join(small!, 'filler'));
      await goOnWithAlarm(job, 'ERR_STORAGE_FULL');
      rmSync(join(small!, 'filler'));
      await recover(job, output);
    });

    test('that is mounted read-only: the same', async () => {
      const output = join(workshop.folder, 'read-only.csv');
      const job = workshop.start(join(reading!, 'checkpoints'), output);
      await hasCommitted(job);
      await remount(reading!, 'ro');
      await goOnWithAlarm(job, 'ERR_STORAGE_READ_ONLY');
      await remount(reading!, 'rw');
      await recover(job, output);
    });
  },
);

describe.concurrent('a checkpoint folder that is taken away', () => {
  test('ends the job, which goes on when it is put back', async () => {
    const [folder, output] = ['gone', 'gone.csv'].map((name) => join(workshop.folder, name));
    const job = workshop.start(folder!, output!);
    await job.until(({ committed }) => committed !== undefined && committed > 5);
    renameSync(folder!, `${folder}-away`);
    expect(await job.failure()).toBe('ERR_METADATA_ROLLBACK');
    const right = new Set(undisturbed);
    const published = sortedLines(output!);
    expect(published.filter((line) => !right.has(line))).toEqual([]);
    expect(published.length).toBeLessThan(undisturbed.length);

    renameSync(`${folder}-away`, folder!);
    const next = workshop.start(folder!, output!);
    expect(await next.end()).toBe('finished');
    expect(sortedLines(output!)).toEqual(undisturbed);
  });
});

describe.concurrent('two processes on one checkpoint folder', () => {
  test('the older one ends, and the younger completes the output', async () => {
    const [folder, output] = ['two', 'two.csv'].map((name) => join(workshop.folder, name));
    const older = workshop.start(folder!, output!);
    await hasCommitted(older);
    const younger = workshop.start(folder!, output!);
    expect(await older.failure()).toBe('ERR_CHECKPOINT_SUPERSEDED');
    expect(await younger.end()).toBe('finished');
    expect(sortedLines(output!)).toEqual(undisturbed);
  });

  test('also when it was stopped meanwhile, and wakes up', async () => {
    const [folder, output] = ['slept', 'slept.csv'].map((name) => join(workshop.folder, name));
    const older = workshop.start(folder!, output!);
    await hasCommitted(older);
    older.signal('SIGSTOP');
    const younger = workshop.start(folder!, output!);
    const { committed } = await hasCommitted(younger);
    await younger.until((said) => said.committed! > committed! + 3);
    older.signal('SIGCONT');
    expect(await older.failure()).toBe('ERR_CHECKPOINT_SUPERSEDED');
    expect(await younger.end()).toBe('finished');
    expect(sortedLines(output!)).toEqual(undisturbed);
  });
});
