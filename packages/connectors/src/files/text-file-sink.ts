import { mkdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { RecordBatch, Sink, SinkContext, SinkWriter } from '@millrace/core/spi';
import { refuseOption } from '../option-checks.js';
import {
  BufferedFileWriter,
  type ExistingFile,
  pathOfSubtask,
  subtaskMark,
} from './buffered-file-writer.js';
import { GrowingFile } from './growing-file.js';
import { HiddenFiles } from './hidden-files.js';
import { hiddenPartNames, PartFolder, partStem } from './part-folder.js';
import { type StagedPlace, StagedWriter } from './staged-writer.js';

/** One growing file for each subtask, or a folder of files that do not change any more. */
export type FileSinkLayout = 'file' | 'parts';

/** Where a file sink writes. */
export interface FileSinkOptions {
  /** `{subtask}` in it stands for the number of the writing subtask. */
  readonly path: string;
  /**
   * `append` (default) keeps what the file holds. `truncate` begins anew whenever the job starts,
   * also when it is restored from a checkpoint, so what was written before that one is lost.
   */
  readonly existing?: ExistingFile | undefined;
  /**
   * `file` (default): one growing file. `parts` (default where `path` ends with `/`): `path` is a
   * folder, made when it is missing, that gets a file `part-SUBTASK-CHECKPOINT.csv` with each
   * checkpoint that has rows; without checkpoints one growing file `part-SUBTASK.csv`. The parts
   * of the last checkpoint must stay until the next one: a restart looks whether they are there.
   * Sinks of several formats may share the folder, two of one format and one job are refused.
   */
  readonly layout?: FileSinkLayout | undefined;
}

/** How records become text. */
export interface TextFormatter {
  /** What an empty file begins with. */
  readonly head: string;
  /** A record as text with its newline. */
  line(record: unknown): string;
}

/**
 * A sink that writes a line for each record.
 *
 * With checkpoints, appending is exactly once: readers see a row when its checkpoint is committed.
 * Until then it lies in a hidden file (`.NAME.pending-…`, which of parts says the job and the sink,
 * too) beside the one it belongs to, which nobody else may write to: after a restart that is
 * ERR_SINK_CHANGED. Without checkpoints rows are seen as they come, and come again when the job
 * does.
 */
export function textFileSink<T>(
  type: string,
  options: FileSinkOptions,
  formatter: TextFormatter,
  settings: Readonly<Record<string, unknown>>,
): Sink<T> {
  const { path, existing = 'append' } = options;
  if (path === '') refuseOption('path', 'the path is empty');
  const layout = layoutOf(options);
  const place: FilePlace = { path, extension: type, layout };
  return {
    type,
    guarantee: existing === 'append' ? 'exactly-once' : 'at-most-once',
    settings: { path, existing, layout, ...settings },
    // Subtasks never share a file.
    parallelismMax: path.includes(subtaskMark) ? undefined : 1,
    destination: layout === 'parts' ? resolve(path, `part-*.${type}`) : undefined,
    createWriter: (context) =>
      existing === 'append' && context.checkpoints === 'on'
        ? stagedWriter(place, context, formatter)
        : plainWriter(place, existing, context, formatter),
  };
}

interface FilePlace {
  readonly path: string;
  readonly extension: string;
  readonly layout: FileSinkLayout;
}

function layoutOf({ path, existing, layout }: FileSinkOptions): FileSinkLayout {
  const isFolder = path.endsWith('/');
  const chosen = layout ?? (isFolder ? 'parts' : 'file');
  if (chosen !== 'file' && chosen !== 'parts') {
    refuseOption('layout', `'${chosen}' is none of file, parts`);
  }
  if (chosen === 'file' && isFolder) refuseOption('layout', `${path} is a folder, not a file`);
  if (chosen === 'parts' && existing === 'truncate') {
    refuseOption('existing', 'a folder of parts is only added to');
  }
  return chosen;
}

function stagedWriter(
  place: FilePlace,
  context: SinkContext,
  formatter: TextFormatter,
): SinkWriter {
  const linesOf = (batch: RecordBatch): string => textOf(batch, formatter);
  const placeOf = (subtask: number): StagedPlace =>
    stagedPlace(place, { ...context, subtask }, formatter.head);
  return new StagedWriter({ context, placeOf, linesOf });
}

function stagedPlace(
  { path, extension, layout }: FilePlace,
  context: SinkContext,
  head: string,
): StagedPlace {
  const { env, subtask } = context;
  if (layout === 'parts') {
    const names = { folder: folderOf(path, context), subtask, extension };
    const hidden = new HiddenFiles(env, hiddenPartNames(names, context));
    return { destination: new PartFolder(env, names, head), hidden };
  }
  const file = pathOfSubtask(path, context);
  const hidden = new HiddenFiles(env, { folder: dirname(file), name: basename(file) });
  return { destination: new GrowingFile(env.storage, file, head), hidden };
}

function plainWriter(
  { path, extension, layout }: FilePlace,
  existing: ExistingFile,
  context: SinkContext,
  formatter: TextFormatter,
): SinkWriter {
  const folder = layout === 'parts' ? folderOf(path, context) : undefined;
  const file = new BufferedFileWriter(
    folder === undefined
      ? pathOfSubtask(path, context)
      : join(folder, `${partStem(context.subtask)}.${extension}`),
  );
  return {
    async open() {
      if (folder !== undefined) await mkdir(folder, { recursive: true });
      const { isEmpty } = await file.open(existing);
      if (isEmpty) await file.add(formatter.head);
    },
    write: (batch) => file.add(textOf(batch, formatter)),
    flush: () => file.flush(),
    finish: () => file.finish(),
    close: () => file.close(),
  };
}

/** With a `/` at its end. Subtasks share it: their numbers are in the names of their files. */
function folderOf(path: string, { subtask }: SinkContext): string {
  const folder = path.replaceAll('{subtask}', String(subtask));
  return folder.endsWith('/') ? folder : `${folder}/`;
}

function textOf({ values, count }: RecordBatch, formatter: TextFormatter): string {
  let lines = '';
  for (let i = 0; i < count; i += 1) lines += formatter.line(values[i]);
  return lines;
}
