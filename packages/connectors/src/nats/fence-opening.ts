import type { ErrorCode } from '@millrace/core';
import type { SinkContext, SinkLineage } from '@millrace/core/spi';
import { type Fence, type FencePosition, isComplete } from './fence-marker.js';

/** What a checkpoint had prepared for one shard; entries are published in order. */
export interface StagedEntry {
  /** That prepared it; smaller than the one that committed it when that one was given up. */
  readonly checkpoint: number;
  /** At least 1: the last chunk may be a marker without output. */
  readonly chunks: number;
}

/** What is known when a writer opens. */
export interface OpeningFacts {
  /** The last marker; undefined: the subject has none. */
  readonly fence: Fence | undefined;
  readonly lineage: SinkLineage;
  readonly replay: SinkContext['replay'];
  /** What to do about a fence, or the lack of one, that says output may be there already. */
  readonly existing: 'refuse' | 'takeOver';
  /** Undefined for a job that begins with nothing. */
  readonly restored: RestoredShard | undefined;
}

export interface RestoredShard {
  readonly checkpoint: number;
  readonly entries: readonly StagedEntry[];
  /** Lineage and fence as they were known when this was prepared; undefined: nothing was. */
  readonly known: { readonly lineage: string; readonly sequence: number } | undefined;
}

/** The first thing that is not published: a chunk, from 0, of an entry. */
export interface Unpublished {
  readonly entry: number;
  readonly chunk: number;
}

export type OpeningDecision =
  | {
      readonly kind: 'go on';
      /** Sequence of the fence; 0: there is none. */
      readonly sequence: number;
      readonly from: Unpublished;
      /** Must be published first, with the own lineage: it shuts others out. */
      readonly mark: FencePosition | undefined;
      /** For the log: what will be published a second time. */
      readonly again: string | undefined;
    }
  | {
      readonly kind: 'refuse';
      readonly code: ErrorCode;
      readonly detail: string;
      /** A server that lags behind could have said so: worth another look. */
      readonly mayBeStale: boolean;
    };

/** Decides from where on a writer publishes, or that it must not. */
export function decideOpening(facts: OpeningFacts): OpeningDecision {
  const { fence, restored, lineage } = facts;
  if (restored === undefined) return beginning(facts);
  if (fence === undefined) return withoutFence(facts, restored);
  const { known } = restored;
  const isForked = known === undefined ? isFork(facts, restored) : known.lineage !== lineage.id;
  if (known !== undefined && fence.sequence < known.sequence && facts.existing === 'refuse') {
    return refused('ERR_SINK_CHANGED', rolledBack(fence.sequence, known.sequence), 'stale');
  }
  if (fence.marker.lineage === lineage.id) return own(fence, restored);
  if (!isForked) return fenced(fence, 'this history had it before');
  return forked(facts, fence, restored);
}

/** Nothing was restored: the job begins anew. */
function beginning({ fence, lineage, replay, existing }: OpeningFacts): OpeningDecision {
  if (fence === undefined) return goOn(0, start);
  const { marker, sequence } = fence;
  if (marker.lineage === lineage.id) {
    if (marker.checkpoint === 0) return goOn(sequence, start);
    return refused('ERR_METADATA_ROLLBACK', newerThan(fence, 'no checkpoint was found'));
  }
  if (existing === 'takeOver' || replay === 'accepted') {
    return goOn(sequence, start, {
      mark: nothingPublished,
      again: `all output, as the job begins anew; ${whoOf(fence)} had published some`,
    });
  }
  return refused(
    'ERR_SINK_FENCED',
    `the job begins with nothing, but ${whoOf(fence)} has published here. To go on from there, ` +
      "start with its checkpoint folder; to publish everything again, say existing: 'takeOver'",
  );
}

function withoutFence(facts: OpeningFacts, restored: RestoredShard): OpeningDecision {
  const { known, entries } = restored;
  const { lineage, existing } = facts;
  const isOwn = known === undefined || known.lineage === lineage.id;
  const mark = isOwn ? undefined : before(restored);
  if (known === undefined || known.sequence === 0) return goOn(0, start, { mark });
  if (existing === 'takeOver') {
    const again =
      entries.length === 0 ? undefined : `what checkpoint ${restored.checkpoint} had prepared`;
    return goOn(0, start, { mark: before(restored), again });
  }
  return refused(
    'ERR_SINK_CHANGED',
    `the fence was at sequence ${known.sequence} and is not there any more: the stream was ` +
      'purged, is another one, or drops messages by age or number. To go on as if nothing of ' +
      `checkpoint ${restored.checkpoint} was published, say existing: 'takeOver'`,
    'stale',
  );
}

function own(fence: Fence, restored: RestoredShard): OpeningDecision {
  if (fence.marker.checkpoint > restored.checkpoint) {
    const found = `the job was restored from checkpoint ${restored.checkpoint}`;
    return refused('ERR_METADATA_ROLLBACK', newerThan(fence, found));
  }
  const from = behind(fence.marker, restored.entries);
  return from === undefined ? unknownPlace(fence, restored) : goOn(fence.sequence, from);
}

/** This history was forked and has published nothing yet. */
function forked(
  { lineage, replay, existing }: OpeningFacts,
  fence: Fence,
  restored: RestoredShard,
): OpeningDecision {
  const { marker, sequence } = fence;
  const { checkpoint, known } = restored;
  const isParent = marker.lineage === lineage.parent?.lineage;
  if (isParent && marker.checkpoint <= checkpoint) {
    const from = behind(marker, restored.entries);
    if (from === undefined) return unknownPlace(fence, restored);
    return goOn(sequence, from, { mark: positionOf(marker) });
  }
  if (replay === 'refused' && existing === 'refuse') {
    if (!isParent) return fenced(fence, 'this history was not forked from it');
    return refused(
      'ERR_REPLAY_NOT_ACCEPTED',
      `${whoOf(fence)} has published here, and the job goes on from checkpoint ${checkpoint}`,
    );
  }
  const most = known === undefined ? '' : ` (at most ${sequence - known.sequence} messages)`;
  const since = `what ${whoOf(fence)} published after checkpoint ${checkpoint}${most}`;
  // What the parent published later shows that it had published this.
  if (isParent) return goOn(sequence, end(restored), { mark: whole(restored), again: since });
  return goOn(sequence, start, { mark: before(restored), again: since });
}

/** What is behind a position; undefined: the entries do not go on from there. */
export function behind(
  position: FencePosition,
  entries: readonly StagedEntry[],
): Unpublished | undefined {
  const at = entries.findIndex(({ checkpoint }) => checkpoint === position.checkpoint);
  if (at >= 0) {
    if (entries[at]!.chunks !== position.of || position.chunk > position.of) return undefined;
    return isComplete(position)
      ? { entry: at + 1, chunk: 0 }
      : { entry: at, chunk: position.chunk };
  }
  const isBeforeAll = entries.every(({ checkpoint }) => checkpoint > position.checkpoint);
  return isBeforeAll && isComplete(position) ? start : undefined;
}

function isFork({ lineage }: OpeningFacts, { checkpoint }: RestoredShard): boolean {
  return lineage.parent?.checkpoint === checkpoint;
}

const start: Unpublished = { entry: 0, chunk: 0 };
const end = ({ entries }: RestoredShard): Unpublished => ({ entry: entries.length, chunk: 0 });
const nothingPublished: FencePosition = { checkpoint: 0, chunk: 0, of: 0 };

const positionOf = ({ checkpoint, chunk, of }: FencePosition): FencePosition => ({
  checkpoint,
  chunk,
  of,
});

/** Nothing of what was restored is published. */
function before({ entries, checkpoint }: RestoredShard): FencePosition {
  const [first] = entries;
  if (first === undefined) return { checkpoint, chunk: 0, of: 0 };
  return { checkpoint: first.checkpoint, chunk: 0, of: first.chunks };
}

/** All of it is. */
function whole({ entries, checkpoint }: RestoredShard): FencePosition {
  const last = entries.at(-1);
  if (last === undefined) return { checkpoint, chunk: 0, of: 0 };
  return { checkpoint: last.checkpoint, chunk: last.chunks, of: last.chunks };
}

function goOn(
  sequence: number,
  from: Unpublished,
  more: { readonly mark?: FencePosition | undefined; readonly again?: string | undefined } = {},
): OpeningDecision {
  return { kind: 'go on', sequence, from, mark: more.mark, again: more.again };
}

function refused(
  code: ErrorCode,
  detail: string,
  trust: 'sure' | 'stale' = 'sure',
): OpeningDecision {
  return { kind: 'refuse', code, detail, mayBeStale: trust === 'stale' };
}

const fenced = (fence: Fence, why: string): OpeningDecision =>
  refused('ERR_SINK_FENCED', `${whoOf(fence)} owns this output; ${why}`);

function unknownPlace({ marker, sequence }: Fence, restored: RestoredShard): OpeningDecision {
  const prepared = restored.entries.map(({ checkpoint, chunks }) => `${checkpoint}/${chunks}`);
  return refused(
    'ERR_SINK_CHANGED',
    `the fence says chunk ${marker.chunk} of ${marker.of} of checkpoint ${marker.checkpoint} ` +
      `(sequence ${sequence}), but checkpoint ${restored.checkpoint} goes on from elsewhere: it ` +
      `prepared ${prepared.join(', ') || 'nothing'}`,
    'stale',
  );
}

const newerThan = (fence: Fence, found: string): string =>
  `${whoOf(fence)} is published (sequence ${fence.sequence}), but ${found}`;

export const rolledBack = (sequence: number, known: number): string =>
  `the fence is at sequence ${sequence} and was at ${known} before: the stream has lost messages`;

/** e.g. `checkpoint 12 of history 4f…`. */
export const whoOf = ({ marker }: Fence): string =>
  `checkpoint ${marker.checkpoint} of history ${marker.lineage}`;
