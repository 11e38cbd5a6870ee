import { MillraceError } from '@millrace/core';
import { formatTimestamp } from '@millrace/core/internal';
import { entriesIn, entryOf } from '../checkpoint/checkpoint-folder.js';
import type { Manifest, SegmentRef } from '../checkpoint/manifest.js';
import { blobsOf, channelsOf, segmentsOf } from '../checkpoint/manifest-io.js';
import { stagedBlobsOf } from '../checkpoint/staged-blobs.js';
import { nodeEnv } from '../host/node-env.js';
import { atPoint, lookAt, type StoredPoint, verifyPoint } from '../inspect/checkpoint-list.js';
import { textOf } from '../inspect/state-text.js';
import type { Terminal } from './commands.js';
import { table } from './text-table.js';

/** `millrace checkpoints list DIR`: what can be restored from, and what is damaged. */
export async function listCheckpoints(folder: string, terminal: Terminal): Promise<void> {
  const env = nodeEnv();
  const damaged: string[] = [];
  const rows: string[][] = [];
  let job: string | undefined;
  for (const entry of await entriesIn(env, folder)) {
    const seen = await lookAt(env, folder, entry, (point) => point);
    if (seen.kind === 'seen') {
      job ??= seen.result.manifest.job;
      rows.push(listRowOf(seen.result));
    } else if (seen.kind === 'damaged') {
      const { name, committedMs } = entry;
      damaged.push(damageText(name, seen.why));
      rows.push([name, 'damaged', committedMs === undefined ? '' : formatTimestamp(committedMs)]);
    }
  }
  if (job !== undefined) terminal.out(`job ${job}`);
  const columns = ['name', 'kind', 'taken', 'segments', 'bytes', 'in channels', 'lineage'];
  terminal.out(table(columns, rows));
  if (damaged.length > 0) throw damageError(damaged);
}

/** `millrace checkpoints verify DIR`: reads all of it; fails naming what is damaged. */
export async function verifyCheckpoints(
  folder: string,
  name: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const env = nodeEnv();
  const entries = await entriesIn(env, folder);
  const damaged: string[] = [];
  for (const entry of name === undefined ? entries : [entryOf(entries, folder, name)]) {
    const seen = await lookAt(env, folder, entry, async (point) => {
      const counts = await verifyPoint(point);
      const rows = counts.reduce((sum, count) => sum + count.rows, 0);
      return `whole, ${bytesText(bytesOf(point))}, ${rows} rows`;
    });
    terminal.out(`${entry.name}: ${seen.kind === 'seen' ? seen.result : seen.kind}`);
    if (seen.kind === 'damaged') damaged.push(damageText(entry.name, seen.why));
  }
  if (damaged.length > 0) throw damageError(damaged);
}

const damageText = (name: string, why: MillraceError): string => `${name} (${why.detail})`;

const damageError = (damaged: readonly string[]): MillraceError =>
  new MillraceError('ERR_CHECKPOINT_CORRUPT', damaged.join(', '));

/** `millrace checkpoints show DIR [NAME]`: all that a point says. */
export async function showCheckpoint(
  folder: string,
  name: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const point = await atPoint(nodeEnv(), folder, name, (found) => found);
  const { manifest } = point;
  terminal.out(`${kindText(manifest)} ${manifest.checkpoint} of job ${manifest.job}`);
  terminal.out(`  triggered  ${formatTimestamp(manifest.triggeredMs)}`);
  terminal.out(`  attempt    ${manifest.attempt.number}-${manifest.attempt.random}`);
  const { parent } = manifest.lineage;
  const fork = parent === undefined ? '' : ` (from ${parent.lineage} at ${parent.checkpoint})`;
  terminal.out(`  lineage    ${manifest.lineage.id}${fork}`);
  terminal.out(`  key groups ${manifest.keyGroups}, graph ${manifest.fingerprint}\n`);
  const states = manifest.states.map((state) => [
    state.operator,
    state.state,
    state.kind,
    String(state.version),
    state.shape,
  ]);
  terminal.out(table(['operator', 'state', 'kind', 'version', 'shape'], states));
  for (const { task, keyGroups, chain } of manifest.tasks) {
    terminal.out(`\n${task}: key groups ${keyGroups.first}–${keyGroups.last}`);
    terminal.out(table(['segment', 'bytes', 'sha-256'], chain.map(rowOf)));
  }
  showChannels(manifest, terminal);
  for (const { operator, snapshot } of manifest.sources) {
    terminal.out(`\nsource ${operator}: ${textOf(snapshot)}`);
  }
  for (const { operator, prepared } of manifest.sinks) {
    if (prepared !== null) terminal.out(`\nsink ${operator}: ${textOf(prepared)}`);
  }
  const staged = stagedBlobsOf(manifest.sinks);
  if (staged.length === 0) return;
  terminal.out('\noutput that was not published yet');
  terminal.out(table(['output', 'bytes', 'sha-256'], staged.map(rowOf)));
}

/** What waited in channels, and so ties the checkpoint to its parallelism. */
function showChannels({ tasks }: Manifest, terminal: Terminal): void {
  const rows = tasks.flatMap(({ task, channels }) =>
    channels === undefined ? [] : [[task, String(channels.batches), ...rowOf(channels)]],
  );
  if (rows.length === 0) return;
  terminal.out(`\nrecords that waited in channels`);
  terminal.out(table(['task', 'batches', 'blob', 'bytes', 'sha-256'], rows));
}

function listRowOf(point: StoredPoint): string[] {
  const { manifest } = point;
  return [
    point.name,
    kindText(manifest),
    formatTimestamp(point.committedMs ?? manifest.triggeredMs),
    String(segmentsOf(manifest).length),
    bytesText(bytesOf(point)),
    isUnaligned(manifest) ? bytesText(channelBytesOf(manifest)) : '',
    manifest.lineage.id,
  ];
}

const isUnaligned = ({ tasks }: Manifest): boolean => channelsOf(tasks).length > 0;

function kindText(manifest: Manifest): string {
  if (isUnaligned(manifest)) return `${manifest.kind}, unaligned`;
  // Nothing begins with it, so that it is told from others.
  return manifest.drained === true ? `${manifest.kind}, drained` : manifest.kind;
}

const channelBytesOf = ({ tasks }: Manifest): number =>
  channelsOf(tasks).reduce((sum, { bytes }) => sum + bytes, 0);

const rowOf = ({ blob, bytes, sha256 }: SegmentRef): string[] => [
  blob,
  bytesText(bytes),
  sha256.slice(0, 12),
];

const bytesOf = ({ manifest }: StoredPoint): number =>
  blobsOf(manifest).reduce((sum, { bytes }) => sum + bytes, 0);

function bytesText(bytes: number): string {
  if (bytes < 1 << 20) return `${(bytes / (1 << 10)).toFixed(1)} KiB`;
  return `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}
