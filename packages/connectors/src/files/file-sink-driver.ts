import {
  RecordBatch,
  type Sink,
  type SinkContext,
  type SinkRestore,
  type Storage,
} from '@millrace/core/spi';
import { SeededRandom } from '../generator/seeded-random.js';
import { manualTime, testContext } from '../reading/reader-driver.js';

/** A disk that several processes share: the test kit's `SimulatedDisk`. */
export interface SharedDisk extends Pick<Storage, 'list' | 'read'> {
  process(name: string): Storage;
}

/** What outlives every crash: the commit record of a job. */
export interface CommitRecord {
  /** The process that may commit: the one that began last. */
  owner: string;
  committed: (SinkRestore & { readonly nextRecord: number }) | undefined;
  nextCheckpoint: number;
}

export const newCommitRecord = (): CommitRecord => ({
  owner: '',
  committed: undefined,
  nextCheckpoint: 1,
});

/** The context that a writer of a job with checkpoints gets. */
export function checkpointedContext(
  disk: SharedDisk,
  process: string,
  restored?: SinkRestore,
): SinkContext {
  // Every process draws other random numbers.
  const random = new SeededRandom([...process].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7));
  random.startAt(0);
  const env = { ...manualTime().env, storage: disk.process(process), random };
  return { ...testContext(env), checkpoints: 'on', restored };
}

export function batchOf(...values: readonly unknown[]): RecordBatch {
  const batch = new RecordBatch();
  for (const value of values) batch.emit(value, 0);
  return batch;
}

/** Records of the whole job. */
export const recordCount = 14;
const recordOf = (index: number) => ({ n: index, text: 'é'.repeat(index % 4) });

/** Checkpoints that are prepared and then given up. */
const isAborted = (turn: number): boolean => turn === 2;
/** Checkpoints whose commit the sink hears of only after the next one was prepared. */
const isToldLate = (turn: number): boolean => turn === 3;

/**
 * Runs one process of a job as the engine would: from the last commit to the end of the input, a
 * checkpoint every two records. Rejects once another process has taken over.
 */
export async function runProcess(
  disk: SharedDisk,
  process: string,
  sink: Sink<never>,
  record: CommitRecord,
): Promise<void> {
  record.owner = process;
  const restored = record.committed;
  const writer = sink.createWriter(checkpointedContext(disk, process, restored));
  await writer.open?.();
  const untold: number[] = [];
  const commit = async (nextRecord: number, checkpoint: number): Promise<void> => {
    const prepared = [JSON.parse(JSON.stringify(await writer.prepare?.(checkpoint)))];
    if (isAborted(checkpoint)) return;
    if (record.owner !== process) throw new Error('another process has taken over');
    record.committed = { checkpoint, prepared, nextRecord };
    untold.push(checkpoint);
    if (isToldLate(checkpoint) && nextRecord < recordCount) return;
    for (const told of untold.splice(0)) await writer.committed?.(told);
  };
  for (let next = restored?.nextRecord ?? 0; next < recordCount; next += 1) {
    await writer.write(batchOf(recordOf(next)));
    if (next % 3 === 0) await writer.flush?.();
    if (next % 2 === 1) await commit(next + 1, record.nextCheckpoint++);
  }
  await writer.finish?.();
  await commit(recordCount, record.nextCheckpoint++ + 100);
  await writer.close?.();
}

/** What readers see of a folder: names that are not hidden, with their content. */
export async function visibleFiles(
  disk: SharedDisk,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const name of await disk.list(folder)) {
    if (name.startsWith('.')) continue;
    files.set(name, Buffer.from(await disk.read(`${folder}/${name}`)).toString());
  }
  return files;
}

export const hiddenFiles = async (disk: SharedDisk, folder: string) =>
  (await disk.list(folder)).filter((name) => name.startsWith('.'));
