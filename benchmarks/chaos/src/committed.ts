import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The newest committed checkpoint of a folder as its files say, read without the engine: the
 * commit record with the highest number counts. Null where none was committed.
 */
export function committedIn(checkpoints: string): number | null {
  const folder = join(checkpoints, 'commits', 'commit');
  if (!existsSync(folder)) return null;
  const newest = readdirSync(folder)
    .filter((name) => name.endsWith('.rec'))
    .sort()
    .at(-1);
  if (newest === undefined) return null;
  // Two lines of checksums, then the record as JSON.
  const [, , ...json] = readFileSync(join(folder, newest), 'utf8').split('\n');
  const record = JSON.parse(json.join('\n')) as { readonly checkpoint?: { readonly id: number } };
  return record.checkpoint?.id ?? null;
}
