import { MillraceError } from '@millrace/core';

/** How far output is published: `chunk` of the `of` chunks of what a checkpoint prepared. */
export interface FencePosition {
  readonly checkpoint: number;
  readonly chunk: number;
  readonly of: number;
}

/**
 * The last message on a fence's subject: who published last, and how far. It is stored together
 * with the output it speaks of, or not at all.
 */
export interface FenceMarker extends FencePosition {
  readonly format: 1;
  readonly job: string;
  readonly sink: string;
  /** Number of the writer's subtask. */
  readonly shard: number;
  /** The stretch of the job's history that published it. */
  readonly lineage: string;
}

/** A marker with its sequence in the stream, as it was read. */
export interface Fence {
  readonly sequence: number;
  readonly marker: FenceMarker;
}

/** Whose output a fence is for. */
export type FenceOwner = Pick<FenceMarker, 'job' | 'sink' | 'shard'>;

/** Markers have it, so that whoever reads a stream can leave them out. */
export const fenceHeader = 'Millrace-Fence';

/** The body of a marker, which begins the same always. */
export const markerBody = (marker: FenceMarker): Uint8Array => {
  const { format, ...rest } = marker;
  return Buffer.from(JSON.stringify({ format, ...rest }));
};

const bodyBegin = Buffer.from('{"format":1,"job":');

/** Whether a message is a marker; looks at headers only where the body could be one's. */
export function isFenceMarker(message: {
  readonly data: Uint8Array;
  header(name: string): string | undefined;
}): boolean {
  const { data } = message;
  for (let at = 0; at < bodyBegin.length; at += 1) if (data[at] !== bodyBegin[at]) return false;
  return message.header(fenceHeader) !== undefined;
}

/** Whether all was published that the checkpoint had prepared. */
export const isComplete = ({ chunk, of }: FencePosition): boolean => chunk === of;

export const isSamePosition = (a: FencePosition, b: FencePosition): boolean =>
  a.checkpoint === b.checkpoint && a.chunk === b.chunk && a.of === b.of;

/** The last tokens of a fence's subject, behind `<base>.fence.`. */
export function fenceTokens({ job, sink, shard }: FenceOwner): string {
  return `${tokenOf(job)}.${tokenOf(sink)}.${shard}`;
}

/**
 * Reads what is on a fence's subject.
 *
 * @throws MillraceError ERR_SINK_FENCED when it is none of the owner's markers
 */
export function markerOf(body: string, subject: string, owner: FenceOwner): FenceMarker {
  const marker = parsed(body);
  const { job, sink, shard } = owner;
  if (
    marker?.format === 1 &&
    marker.job === job &&
    marker.sink === sink &&
    marker.shard === shard
  ) {
    return marker;
  }
  const found = marker === undefined ? body.slice(0, shownCharsMax) : JSON.stringify(marker);
  const detail = `"${subject}" is the fence of sink ${sink} (shard ${shard}) of job ${job}, `;
  throw new MillraceError('ERR_SINK_FENCED', `${detail}but somebody else wrote to it: ${found}`);
}

const shownCharsMax = 200;

/** Ids may have dots, which end a token of a subject. */
const tokenOf = (id: string): string => id.replaceAll('.', '_2e_');

function parsed(body: string): FenceMarker | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as FenceMarker) : undefined;
  } catch {
    return undefined;
  }
}
