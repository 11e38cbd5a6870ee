import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareStateFolder } from './state-folder.js';

let base: string;
let folder: string;
let output: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'millrace-fraud-state-'));
  folder = join(base, 'state');
  output = join(base, 'alerts');
});
afterEach(() => rmSync(base, { recursive: true }));

const prepare = (subject: object, mode: 'fresh' | 'go on' = 'go on') =>
  prepareStateFolder(folder, { ...subject }, { output, mode });

/** A run that leaves a checkpoint and output. */
async function runAbout(subject: object): Promise<void> {
  await prepare(subject);
  mkdirSync(join(folder, 'commits'), { recursive: true });
  writeFileSync(output, 'rows');
  writeFileSync(hidden(), 'rows that no checkpoint has');
}

const hidden = () => join(base, '.alerts.pending-3-c0ffee');

const isKept = () => [
  existsSync(join(folder, 'commits')),
  existsSync(output) && existsSync(hidden()),
];

describe('the state folder', () => {
  it('goes on where the last run about the same stood', async () => {
    await runAbout({ seed: 1 });
    expect(await prepare({ seed: 1 })).toBe('goes on');
    expect(isKept()).toEqual([true, true]);
  });

  it('begins anew, without old checkpoints and output, where it is about something else', async () => {
    await runAbout({ seed: 1 });
    expect(await prepare({ seed: 2 })).toBe('other subject');
    expect(isKept()).toEqual([false, false]);
    expect(await prepare({ seed: 2 })).toBe('goes on');
  });

  it('begins anew when asked to', async () => {
    await runAbout({ seed: 1 });
    expect(await prepare({ seed: 1 }, 'fresh')).toBe('as asked');
    expect(isKept()).toEqual([false, false]);
    expect(existsSync(hidden())).toBe(false);
  });

  it('begins anew when the folder was deleted: old output is not added to', async () => {
    await runAbout({ seed: 1 });
    rmSync(folder, { recursive: true });
    expect(await prepare({ seed: 1 })).toBe('first run');
    expect(isKept()).toEqual([false, false]);
  });

  it('begins anew after a kill while it was made ready', async () => {
    await runAbout({ seed: 1 });
    writeFileSync(join(folder, 'subject.json'), '');
    expect(await prepare({ seed: 1 })).toBe('first run');
    expect(isKept()).toEqual([false, false]);
  });

  it('leaves a folder alone that has something else in it', async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'letter.txt'), 'dear');
    await expect(prepare({ seed: 1 })).rejects.toThrow('a folder of their own');
    expect(existsSync(join(folder, 'letter.txt'))).toBe(true);
  });

  it('keeps savepoints', async () => {
    await runAbout({ seed: 1 });
    mkdirSync(join(folder, 'savepoints'));
    await prepare({ seed: 2 });
    expect(existsSync(join(folder, 'savepoints'))).toBe(true);
  });
});
