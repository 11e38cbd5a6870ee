import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { generator, ndjsonSink } from '@millrace/connectors';
import { defineJob, MillraceError } from '@millrace/core';
import { sinkTo } from '@millrace/operators';
import type { SimulatedDisk } from '@millrace/testing';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  type DurableProcess,
  diskForJobs,
  linesOf,
  type Payment,
  pass,
  paymentsJob,
  start,
} from './durable-rig.js';

const total = 6_000;
let undisturbed: string[];

beforeAll(async () => {
  const disk = await diskForJobs();
  const process = start(disk, paymentsJob('/out', total));
  await pass(process);
  await process.handle.done;
  undisturbed = await linesOf(disk);
});

/** Random numbers from 0 to 1 that a seed fixes. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('a job that is never killed', () => {
  test('gives results of all kinds', () => {
    for (const file of ['windows', 'sessions', 'rests']) {
      const lines = undisturbed.filter((line) => line.startsWith(`${file}.csv`));
      expect(lines.length).toBeGreaterThan(100);
    }
  });

  test('started again after its end does nothing', async () => {
    const disk = await diskForJobs();
    const first = start(disk, paymentsJob('/out', 500));
    await pass(first);
    const before = await linesOf(disk);
    const again = start(disk, paymentsJob('/out', 500));
    await pass(again);
    expect(await again.handle.resumed).toMatchObject({ finished: true });
    expect(await again.handle.done).toMatchObject({ status: 'finished' });
    expect(again.handle.progress().recordsIn).toBe(0);
    expect(await linesOf(disk)).toEqual(before);
  });

  test('started again after its end opens no sink that has nothing left to publish', async () => {
    const disk = await diskForJobs();
    const path = join(mkdtempSync(join(tmpdir(), 'millrace-')), 'rows');
    onTestFinished(() => rmSync(dirname(path), { recursive: true }));
    const job = defineJob('rewriting', {}, (builder) => {
      const numbers = generator({ seed: 1, count: 3, create: (n) => n });
      builder
        .source('numbers', numbers)
        .pipe(sinkTo('rows', ndjsonSink({ path, existing: 'truncate' })));
    });
    for (const processes of [1, 2]) {
      const process = start(disk, job);
      await pass(process);
      await process.handle.done;
      expect([processes, readFileSync(path, 'utf8')]).toEqual([processes, '0\n1\n2\n']);
    }
  });
});

describe('a job whose machine loses power again and again', () => {
  test.each([1, 2, 3, 4, 5, 6])('ends with the same output: seed %i', async (seed) => {
    const random = randomOf(seed);
    const disk = await diskForJobs();
    let resumed = 0;
    for (let cut = 0; cut < 8; cut += 1) {
      const process = start(disk, paymentsJob('/out', total));
      const until = process.env.nowMs + 50 + random() * 500;
      await pass(process, () => process.env.nowMs >= until);
      disk.powerCut({ next: random });
      if ((await Promise.race([process.handle.resumed, undefined])) !== undefined) resumed += 1;
    }
    const last = start(disk, paymentsJob('/out', total));
    await pass(last);
    await last.handle.done;
    expect(await linesOf(disk)).toEqual(undisturbed);
    expect(resumed).toBeGreaterThan(3);
  });
});

describe('a function that throws', () => {
  /** Fails at a payment as often as it says. */
  const failing = (id: number, times: number): ((payment: Payment) => void) => {
    let left = times;
    return (payment) => {
      if (payment.id !== id || left === 0) return;
      left -= 1;
      throw new RangeError(`payment ${id} is unlucky`);
    };
  };

  test('twice: the job restarts from its checkpoint and loses nothing', async () => {
    const disk = await diskForJobs();
    const process = start(disk, paymentsJob('/out', total, failing(3_000, 2)));
    await pass(process);
    await process.handle.done;
    expect(process.handle.progress()).toMatchObject({ attempts: 3, status: 'finished' });
    expect(await linesOf(disk)).toEqual(undisturbed);
  });

  test('always: after three attempts the record is named', async () => {
    const disk = await diskForJobs();
    const process = start(disk, paymentsJob('/out', total, failing(3_000, Infinity)));
    await pass(process);
    await expect(process.handle.done).rejects.toMatchObject({
      code: 'ERR_POISON_RECORD',
      operator: 'watch',
      position: '0@3000',
      detail: expect.stringContaining('payment 3000 is unlucky'),
    });
    expect(process.handle.progress()).toMatchObject({ attempts: 3, status: 'failed' });
  });

  test('what no restart mends fails at once', async () => {
    const disk = await diskForJobs();
    const broken = (): never => {
      throw new MillraceError('ERR_INVALID_OPTION', 'no restart mends this');
    };
    const process = start(disk, paymentsJob('/out', total, broken));
    await pass(process);
    await expect(process.handle.done).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' });
    expect(process.handle.progress().attempts).toBe(1);
  });

  test('more often than its strategy allows', async () => {
    const disk = await diskForJobs();
    let failures = 0;
    // The same record again and again would be poison.
    const everyTime = ({ id }: Payment): void => {
      if (id !== 1_000 + 10 * failures) return;
      failures += 1;
      throw new RangeError('unlucky once more');
    };
    const process = start(disk, paymentsJob('/out', total, everyTime), {
      restart: { kind: 'fixed', attempts: 4, delay: '10ms' },
    });
    await pass(process);
    await expect(process.handle.done).rejects.toMatchObject({ code: 'ERR_RESTARTS_EXHAUSTED' });
    expect(process.handle.progress().attempts).toBe(5);
  });
});

describe('what an attempt leaves when it fails', () => {
  test('is nothing: neither a segment that was being written nor one that nobody names', async () => {
    const disk = await diskForJobs();
    let failures = 0;
    let isDue = false;
    let written = 0;
    disk.onStep(({ path, operation, when }) => {
      if (!path.includes('/.aside/') || operation !== 'write' || when === 'after') return undefined;
      written += 1;
      if (written % 10 === 0 && failures < 6) isDue = true;
      return undefined;
    });
    const process = start(
      disk,
      paymentsJob('/out', total, () => {
        if (!isDue) return;
        isDue = false;
        failures += 1;
        throw new RangeError(`unlucky for the time ${failures}`);
      }),
      { restart: { kind: 'fixed', attempts: 10, delay: '10ms' } },
    );
    await pass(process);
    await process.handle.done;
    expect(process.handle.progress().attempts).toBe(7);
    expect(await linesOf(disk)).toEqual(undisturbed);
    expect(await disk.list('/checkpoints/.aside')).toEqual([]);
    const manifests = (await disk.list('/checkpoints/manifests')).map((name) =>
      disk.read(`/checkpoints/manifests/${name}`),
    );
    const named = (await Promise.all(manifests)).map((bytes) => new TextDecoder().decode(bytes));
    const segments = await disk.list('/checkpoints/segments');
    expect(segments.filter((name) => !named.some((text) => text.includes(name)))).toEqual([]);
  });
});

describe('two processes on one folder', () => {
  test('the older one cannot commit any more, and stops', async () => {
    const disk = await diskForJobs();
    const older = start(disk, paymentsJob('/out', total));
    await pass(older, () => older.handle.progress().checkpoints?.committed !== undefined);
    const younger = start(disk, paymentsJob('/out', total));
    await pass(younger, () => younger.handle.progress().recordsIn > 1_000);
    await pass(older);
    await expect(older.handle.done).rejects.toMatchObject({ code: 'ERR_CHECKPOINT_SUPERSEDED' });
    await pass(younger);
    await younger.handle.done;
    expect(await linesOf(disk)).toEqual(undisturbed);
  });

  test('the older one says so whatever it fails with, since the younger one deletes', async () => {
    const disk = await diskForJobs();
    let isTaken = false;
    const older = start(
      disk,
      paymentsJob('/out', total, () => {
        if (isTaken) throw new RangeError('a file is not there any more');
      }),
    );
    await pass(older, () => older.handle.progress().checkpoints?.committed !== undefined);
    const younger = start(disk, paymentsJob('/out', total));
    await pass(younger, () => younger.handle.progress().recordsIn > 1_000);
    isTaken = true;
    await pass(older);
    await expect(older.handle.done).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT_SUPERSEDED',
      detail: expect.stringContaining('a file is not there any more'),
    });
    expect(older.handle.progress().attempts).toBe(1);
    await younger.handle.cancel();
  });
});

describe('a disk that is full', () => {
  test('the job goes on with an alarm, and takes checkpoints again when there is space', async () => {
    const disk = await diskForJobs();
    const process = start(disk, paymentsJob('/out', total));
    const progress = () => process.handle.progress().checkpoints;
    await pass(process, () => progress()?.committed !== undefined);
    disk.failRate(1, { code: 'ERR_STORAGE_FULL', path: '/checkpoints' }, process.env.random);
    await pass(process, () => progress()?.alarm !== undefined);
    const { recordsIn } = process.handle.progress();
    await pass(process, () => process.handle.progress().recordsIn > recordsIn + 500);
    expect(process.handle.progress()).toMatchObject({ attempts: 1, status: 'running' });
    disk.heal();
    await pass(process, () => progress()?.alarm === undefined);
    await pass(process);
    await process.handle.done;
    expect(await linesOf(disk)).toEqual(undisturbed);
  });

  test('where output is on it, too, the job restarts until it can write', async () => {
    const disk = await diskForJobs();
    const process = start(disk, paymentsJob('/out', total));
    await pass(process, () => process.handle.progress().checkpoints?.committed !== undefined);
    disk.setReadOnly();
    await pass(process, () => process.handle.progress().attempts > 3);
    disk.heal();
    await pass(process);
    await process.handle.done;
    expect(await linesOf(disk)).toEqual(undisturbed);
  });
});

describe('savepoints', () => {
  test('one is taken while the job goes on, and another job begins with it', async () => {
    const disk = await diskForJobs();
    const process = start(disk, paymentsJob('/out', total));
    await pass(process, () => process.handle.progress().recordsIn > 2_000);
    const taking = process.handle.savepoint('before-upgrade');
    await pass(process);
    expect((await taking).kind).toBe('savepoint');
    await process.handle.done;
    expect(await linesOf(disk)).toEqual(undisturbed);

    const from = '/checkpoints/savepoints/before-upgrade';
    await disk.makeFolder('/other');
    const refused = start(disk, paymentsJob('/other', total), {
      checkpoints: { folder: '/checkpoints', from },
    });
    await pass(refused);
    await expect(refused.handle.done).rejects.toMatchObject({ code: 'ERR_REPLAY_NOT_ACCEPTED' });
  });

  test('going back to one that a sink refuses leaves the job where it stood', async () => {
    const disk = await diskForJobs();
    const process = start(disk, paymentsJob('/out', total));
    await pass(process, () => process.handle.progress().recordsIn > 2_000);
    const taking = process.handle.savepoint('early');
    await pass(process, () => process.handle.progress().recordsIn > 3_500);
    await taking;
    await process.handle.cancel();

    // Its files have grown since.
    const back = { folder: '/checkpoints', from: '/checkpoints/savepoints/early' };
    const refused = start(disk, paymentsJob('/out', total), {
      checkpoints: { ...back, acceptReplay: true },
    });
    await pass(refused);
    await expect(refused.handle.done).rejects.toMatchObject({ code: 'ERR_SINK_CHANGED' });

    const next = start(disk, paymentsJob('/out', total));
    await pass(next);
    expect((await next.handle.resumed)!.checkpoint).toBe(
      process.handle.progress().checkpoints!.committed,
    );
    await next.handle.done;
    expect(await linesOf(disk)).toEqual(undisturbed);
  });

  test.each(['suspend', 'drain'] as const)('stop: %s', async (input) => {
    const disk = await diskForJobs();
    const process = start(disk, paymentsJob('/out', total));
    await pass(process, () => process.handle.progress().recordsIn > 2_000);
    const stopping = process.handle.stopWithSavepoint('stop', input);
    await pass(process);
    await stopping;
    const { recordsIn } = process.handle.progress();
    expect(recordsIn).toBeLessThan(total);
    const next = start(disk, paymentsJob('/out', total));
    await pass(next);
    await next.handle.done;
    if (input === 'suspend') expect(await linesOf(disk)).toEqual(undisturbed);
    else expect(next.handle.progress().recordsIn).toBe(0);
  });

  /** Drains a job; something happens as soon as the checkpoint for that is committed. */
  async function drainUntil(disk: SimulatedDisk, happens: () => void): Promise<DurableProcess> {
    const process = start(disk, paymentsJob('/out', total));
    await pass(process, () => process.handle.progress().recordsIn > 2_000);
    let hasHappened = false;
    const end = disk.onStep(({ path }) => {
      if (!path.includes('savepoints/stop/') || path.endsWith('manifest.json')) return undefined;
      end();
      hasHappened = true;
      happens();
      return undefined;
    });
    process.handle.stopWithSavepoint('stop', 'drain').catch(() => undefined);
    await pass(process, () => hasHappened);
    return process;
  }

  const drained = async (): Promise<readonly string[]> => {
    const disk = await diskForJobs();
    await pass(await drainUntil(disk, () => undefined));
    return linesOf(disk);
  };

  test('drain: a job that is killed ahead of its end reads nothing more, and ends', async () => {
    const disk = await diskForJobs();
    await drainUntil(disk, () => disk.crashProcess());
    const next = start(disk, paymentsJob('/out', total));
    await pass(next);
    expect(await next.handle.done).toMatchObject({ status: 'finished' });
    expect(next.handle.progress().recordsIn).toBe(0);
    expect(await linesOf(disk)).toEqual(await drained());
  });

  test('drain: a job that fails ahead of its end reads nothing more, and ends', async () => {
    const disk = await diskForJobs();
    const process = await drainUntil(disk, () => {
      disk.failNext({ code: 'ERR_STORAGE_FAILED', path: '/out/windows.csv' });
    });
    const { recordsIn } = process.handle.progress();
    await pass(process);
    expect(await process.handle.done).toMatchObject({ status: 'finished' });
    expect(process.handle.progress()).toMatchObject({ attempts: 2, recordsIn });
    expect(await linesOf(disk)).toEqual(await drained());
  });

  test('drain: nothing is read on from what was taken for it', async () => {
    const disk = await diskForJobs();
    await pass(await drainUntil(disk, () => undefined));
    await disk.makeFolder('/other');
    const next = start(disk, paymentsJob('/other', total), {
      checkpoints: { folder: '/elsewhere', from: '/checkpoints/savepoints/stop' },
    });
    await pass(next);
    await expect(next.handle.done).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      detail: expect.stringContaining("stop with 'suspend'"),
    });
  });

  test('a name that is taken or none keeps the job running, also with drain', async () => {
    const disk = await diskForJobs();
    const process = start(disk, paymentsJob('/out', total));
    const { handle } = process;
    await pass(process, () => handle.progress().recordsIn > 1_000);
    const taking = [handle.savepoint('a'), handle.savepoint('a')].map((taken) =>
      taken.then(
        ({ kind }) => kind,
        ({ code }) => code,
      ),
    );
    await pass(process, () => handle.progress().recordsIn > 2_000);
    expect((await Promise.all(taking)).sort()).toEqual(['ERR_INVALID_OPTION', 'savepoint']);
    for (const name of ['a', 'not a name']) {
      const refused = expect(handle.stopWithSavepoint(name, 'drain')).rejects.toMatchObject({
        code: 'ERR_INVALID_OPTION',
      });
      await pass(process, () => handle.progress().recordsIn > 3_000);
      await refused;
    }
    await pass(process);
    await handle.done;
    expect(await linesOf(disk)).toEqual(undisturbed);
  });

  test('drain: its name is held while the input is dealt with', async () => {
    const disk = await diskForJobs();
    const process = start(disk, paymentsJob('/out', total));
    await pass(process, () => process.handle.progress().recordsIn > 1_000);
    const draining = process.handle.stopWithSavepoint('a', 'drain');
    const other = process.handle.savepoint('a').catch(({ code }) => code);
    await pass(process);
    expect(await other).toBe('ERR_INVALID_OPTION');
    expect(await draining).toMatchObject({ kind: 'savepoint', drained: true });
  });

  test.each(['is cancelled', 'has all its input'] as const)('drain: a job that %s', async (how) => {
    const disk = await diskForJobs();
    const process = start(disk, paymentsJob('/out', 500));
    await pass(
      process,
      () => process.handle.progress().recordsIn > (how === 'is cancelled' ? 0 : 499),
    );
    const stopping = process.handle.stopWithSavepoint('stop', 'drain');
    const answered = stopping.then(
      () => 'taken',
      ({ code }) => code,
    );
    if (how === 'is cancelled') await process.handle.cancel();
    else await pass(process);
    expect(await answered).toBe('ERR_CHECKPOINT_FAILED');
  });
});
