import { basename, dirname } from 'node:path';

/** Calls of the storage that steps consist of. */
export type Operation = 'write' | 'sync' | 'rename' | 'link' | 'syncFolder' | 'read' | 'remove';

/** Where a job keeps its checkpoints and its output. */
export interface Places {
  readonly checkpoints: string;
  /** A file, or a folder of parts with a `/` at its end; undefined: it is not in files. */
  readonly output?: string | undefined;
}

/** Where the output goes: one growing file, a folder of parts, or a stream. */
export type SinkKind = 'file' | 'parts' | 'stream';

/** What half-written blobs are only known by: their first bytes. */
export type BlobKind = 'segment' | 'manifest' | 'staged';

interface StepPattern {
  readonly step: string;
  readonly operation: Operation;
  /** Of the path that is made, read, removed or synced; placeholders see `rooted`. */
  readonly path: RegExp;
  /** Which sinks take the step; all unless it is said. */
  readonly sinks?: readonly SinkKind[];
}

const revision = /^C\/commits\/commit\/\d+\.rec$/;
const asideRevision = /^C\/commits\/commit\/\.aside-/;
const asideRows = /^O\/\.[^/]*\.pending-|^O\/\.pending-/;
const rows = /^O\/[^./][^/]*$/;
const staged = /^C\/outputs\/[^/]+$/;
const files: readonly SinkKind[] = ['file', 'parts'];
const stream: readonly SinkKind[] = ['stream'];

/** Every step from rows and state in memory to a commit and to what is deleted after it. */
const patterns = [
  { step: 'segment write', operation: 'write', path: /^C\/\.aside\/segment$/ },
  { step: 'segment sync', operation: 'sync', path: /^C\/\.aside\/segment$/ },
  { step: 'segment rename', operation: 'rename', path: /^C\/segments\/[^/]+$/ },
  { step: 'segment folder sync', operation: 'syncFolder', path: /^C\/segments$/ },
  { step: 'segment verify', operation: 'read', path: /^C\/segments\/[^/]+$/ },
  { step: 'aside rows write', operation: 'write', path: asideRows, sinks: files },
  { step: 'aside rows sync', operation: 'sync', path: asideRows, sinks: files },
  { step: 'output folder sync', operation: 'syncFolder', path: /^O$/, sinks: files },
  { step: 'staged rows write', operation: 'write', path: /^C\/\.aside\/staged$/, sinks: stream },
  { step: 'staged rows sync', operation: 'sync', path: /^C\/\.aside\/staged$/, sinks: stream },
  { step: 'staged rows rename', operation: 'rename', path: staged, sinks: stream },
  { step: 'staged folder sync', operation: 'syncFolder', path: /^C\/outputs$/, sinks: stream },
  { step: 'manifest write', operation: 'write', path: /^C\/\.aside\/manifest$/ },
  { step: 'manifest sync', operation: 'sync', path: /^C\/\.aside\/manifest$/ },
  { step: 'manifest rename', operation: 'rename', path: /^C\/manifests\/[^/]+$/ },
  { step: 'manifest folder sync', operation: 'syncFolder', path: /^C\/manifests$/ },
  { step: 'manifest verify', operation: 'read', path: /^C\/manifests\/[^/]+$/ },
  { step: 'commit write', operation: 'write', path: asideRevision },
  { step: 'commit sync', operation: 'sync', path: asideRevision },
  { step: 'commit link', operation: 'link', path: revision },
  { step: 'commit aside remove', operation: 'remove', path: asideRevision },
  { step: 'commit folder sync', operation: 'syncFolder', path: /^C\/commits\/commit$/ },
  { step: 'commit verify', operation: 'read', path: revision },
  { step: 'old commit delete', operation: 'remove', path: revision },
  { step: 'mark link', operation: 'link', path: /^C\/committed\/[^/]+$/ },
  { step: 'mark folder sync', operation: 'syncFolder', path: /^C\/committed$/ },
  { step: 'old mark delete', operation: 'remove', path: /^C\/committed\/[^/]+$/ },
  { step: 'aside rows verify', operation: 'read', path: asideRows, sinks: files },
  { step: 'output write', operation: 'write', path: rows, sinks: ['file'] },
  { step: 'output sync', operation: 'sync', path: rows, sinks: ['file'] },
  { step: 'output link', operation: 'link', path: rows, sinks: ['parts'] },
  { step: 'aside rows remove', operation: 'remove', path: asideRows, sinks: files },
  { step: 'staged rows read', operation: 'read', path: staged, sinks: stream },
  { step: 'old staged rows delete', operation: 'remove', path: staged, sinks: stream },
  { step: 'old segment delete', operation: 'remove', path: /^C\/segments\/[^/]+$/ },
  { step: 'old manifest delete', operation: 'remove', path: /^C\/manifests\/[^/]+$/ },
] as const satisfies readonly StepPattern[];

/** A step of the commit order. */
export type CommitStep = (typeof patterns)[number]['step'];

/** Those of jobs with such sinks, in the order in which a checkpoint takes them. */
export function stepsOf(sinks: readonly SinkKind[]): readonly CommitStep[] {
  const all = patterns.map(({ step }) => step);
  return all.filter((step) => sinks.some((kind) => isTakenBy(step, kind)));
}

/** The step that is taken for the mark of a commit: by then it has happened. */
export const stepAfterCommit: CommitStep = 'mark link';

/** Whether jobs with such a sink take a step. */
export function isTakenBy(step: CommitStep, sinks: SinkKind): boolean {
  const pattern: StepPattern = patterns.find((one) => one.step === step)!;
  return pattern.sinks === undefined || pattern.sinks.includes(sinks);
}

/** Those of jobs that write files. */
export const commitSteps = stepsOf(files);

/**
 * The step that a call of the storage is; undefined for none.
 *
 * @param blob what a half-written blob is, by its content
 */
export function stepOf(
  operation: Operation,
  path: string,
  places: Places,
  blob?: BlobKind,
): CommitStep | undefined {
  const name = rooted(path, places, blob);
  return patterns.find((one) => one.operation === operation && one.path.test(name))?.step;
}

/** `C/…` in the folder of checkpoints, `O/…` in that of the output. */
function rooted(path: string, { checkpoints, output }: Places, blob?: BlobKind): string {
  if (path.startsWith(`${checkpoints}/.aside/`)) return `C/.aside/${blob}`;
  if (path.startsWith(`${checkpoints}/`)) return `C${path.slice(checkpoints.length)}`;
  if (output === undefined) return path;
  const folder = output.endsWith('/') ? output.slice(0, -1) : dirname(output);
  if (path === folder || path === `${folder}/`) return 'O';
  return dirname(path) === folder ? `O/${basename(path)}` : path;
}
