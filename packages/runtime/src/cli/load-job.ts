import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isJobDefinition, type JobDefinition, MillraceError } from '@millrace/core';
import { build } from 'esbuild';

/** A job that was loaded from a file. */
export interface LoadedJob {
  readonly job: JobDefinition;
  /** URL of a module with the job, which other threads can load; there until `close`. */
  readonly module: string;
  close(): void;
}

/**
 * Bundles a job file (TypeScript or JavaScript, with what it imports by path) and loads its default
 * export. Packages stay outside the bundle and are found as from the file itself.
 *
 * @throws MillraceError `ERR_JOB_FILE` when the file is missing, does not compile or has no job
 */
export async function loadJob(file: string): Promise<LoadedJob> {
  const path = resolve(file);
  if (!existsSync(path) || !statSync(path).isFile()) {
    throw new MillraceError('ERR_JOB_FILE', `there is no file ${file}`);
  }
  const bundle = await bundleJob(path);
  const close = (): void => rmSync(bundle, { force: true });
  const module = pathToFileURL(bundle).href;
  try {
    return { job: await importJob(file, module), module, close };
  } catch (error) {
    close();
    throw error;
  }
}

async function importJob(file: string, url: string): Promise<JobDefinition> {
  let module: { default?: unknown };
  try {
    module = (await import(url)) as { default?: unknown };
  } catch (cause) {
    throw new MillraceError('ERR_JOB_FILE', `${file} fails when it is loaded: ${String(cause)}`, {
      cause,
    });
  }
  if (isJobDefinition(module.default)) return module.default;
  throw new MillraceError('ERR_JOB_FILE', `the default export of ${file} is no job of defineJob`);
}

async function bundleJob(path: string): Promise<string> {
  const id = createHash('sha256').update(`${path} ${process.pid}`).digest('hex').slice(0, 16);
  const outfile = join(bundleFolder(path), `job-${id}.mjs`);
  try {
    await build({
      entryPoints: [path],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      // Inline: errors name the author's own lines, also after the file is gone.
      sourcemap: 'inline',
      logLevel: 'silent',
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError('ERR_JOB_FILE', `${path} does not compile: ${message}`, { cause });
  }
  return outfile;
}

/** Beside the file's packages, so that imports of packages are found as from the file. */
function bundleFolder(path: string): string {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const packages = join(folder, 'node_modules');
    if (existsSync(packages)) {
      const cache = join(packages, '.millrace');
      mkdirSync(cache, { recursive: true });
      // Modules are loaded from there; from a link to it the source map would lead elsewhere.
      return realpathSync(cache);
    }
    if (folder === dirname(folder)) return dirname(path);
  }
}
