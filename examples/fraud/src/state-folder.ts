import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from './arguments.js';

/** What a run is about: one about the same goes on where the last one stood. JSON. */
export type Subject = Readonly<Record<string, unknown>>;

/** How a run begins: where the last one about the same stood, or anew, because … */
export type Beginning = 'goes on' | 'first run' | 'as asked' | 'other subject';

/** Says which run the checkpoints beside it are of. */
const subjectFile = 'subject.json';

/** What checkpoints put into their folder. Savepoints are their owner's, and stay. */
const checkpointFolders = [
  '.aside',
  'channels',
  'commits',
  'committed',
  'manifests',
  'outputs',
  'segments',
];

/**
 * Makes the folder of checkpoints ready for a run about a subject. Where the run begins anew, old
 * checkpoints and the old output are removed. A kill in between does no harm: the subject is
 * written last, and a folder without one begins anew.
 *
 * @throws UsageError when the folder is used for something else
 */
export async function prepareStateFolder(
  folder: string,
  subject: Subject,
  { output, mode }: { readonly output: string; readonly mode: 'fresh' | 'go on' },
): Promise<Beginning> {
  const path = join(folder, subjectFile);
  const text = `${JSON.stringify(subject, undefined, 2)}\n`;
  const before = await textOf(path);
  if (mode === 'go on' && before === text) return 'goes on';
  await refuseForeign(folder);
  await mkdir(folder, { recursive: true });
  // Ours, and of no run, until all is removed.
  await replace(path, '');
  for (const name of checkpointFolders) await remove(join(folder, name));
  await removeOutput(output);
  await replace(path, text);
  if (before === undefined || before === '') return 'first run';
  return mode === 'fresh' ? 'as asked' : 'other subject';
}

/** With the rows that lie aside for checkpoints, which are gone. */
async function removeOutput(output: string): Promise<void> {
  const home = dirname(output);
  for (const name of await readdir(home)) {
    if (name.startsWith(`.${basename(output)}.pending-`)) await remove(join(home, name));
  }
  await remove(output);
}

/** What belongs to nobody else is removed without asking; so look first. */
async function refuseForeign(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new UsageError(`cannot use ${folder}: ${error.message}; see --checkpoints`);
  });
  if (names.length === 0 || names.some((name) => name.startsWith(subjectFile))) return;
  throw new UsageError(
    `${resolve(folder)} has other things in it; checkpoints need a folder of their own, ` +
      'see --checkpoints',
  );
}

async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true });
