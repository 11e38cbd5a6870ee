import { readdir } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import { MillraceError } from '@millrace/core';
import type { Split } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import { refuseOption } from '../option-checks.js';

/** Which files a source reads: one of the two. */
export interface FilePaths {
  /**
   * A file, or several with `*` in the last segment: `logs/day-*.csv.gz`. As in a shell, the `*`
   * does not stand for the dot that a hidden file's name begins with.
   */
  readonly path?: string | undefined;
  readonly paths?: readonly string[] | undefined;
}

/** The paths as they were given; throws ERR_INVALID_OPTION unless there is at least one. */
export function pathsOf({ path, paths }: FilePaths): readonly string[] {
  const all = [...(path === undefined ? [] : [path]), ...(paths ?? [])];
  if (all.length === 0) refuseOption('path', 'no path is given');
  for (const one of all) {
    if (typeof one !== 'string' || one === '') refuseOption('path', 'a path is empty');
    if (dirname(one).includes('*')) {
      refuseOption('path', `'${one}' has a * before its last segment`);
    }
  }
  return all;
}

/**
 * A split for each file, its path being the id. Files of a pattern come in the order of their
 * names; a file that is named twice is read once.
 *
 * @throws MillraceError ERR_SOURCE_FAILED when a pattern matches nothing
 */
export async function findFiles(paths: readonly string[]): Promise<readonly Split[]> {
  const found = new Set<string>();
  for (const path of paths) {
    if (path.includes('*')) for (const file of await matching(path)) found.add(file);
    else found.add(normalize(path));
  }
  if (found.size > connectorLimits.splitsMax) {
    const detail = `${found.size} files match; at most ${connectorLimits.splitsMax} are read`;
    throw new MillraceError('ERR_SOURCE_FAILED', detail);
  }
  return [...found].map((id) => ({ id }));
}

async function matching(pattern: string): Promise<readonly string[]> {
  const folder = dirname(pattern);
  const escaped = basename(pattern).split('*').map(escapeForRegExp);
  const matcher = new RegExp(`^${escaped.join('.*')}$`, 's');
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new MillraceError('ERR_SOURCE_FAILED', `cannot read the folder of ${pattern}`, { cause });
  });
  // Among the hidden ones are those in which file sinks gather rows that are not committed.
  const isWanted = (name: string): boolean => !name.startsWith('.') || escaped[0] !== '';
  const matched = names.filter((name) => matcher.test(name) && isWanted(name)).sort();
  if (matched.length === 0) {
    throw new MillraceError('ERR_SOURCE_FAILED', `no file matches ${pattern}`);
  }
  return matched.map((name) => join(folder, name));
}

const escapeForRegExp = (text: string): string => text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
