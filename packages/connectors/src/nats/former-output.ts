import { MillraceError } from '@millrace/core';
import { DeduplicatedDestination } from './deduplicated-destination.js';
import type { OpeningFacts } from './fence-opening.js';
import type { MessageDestination } from './message-destination.js';
import { type PreparedMessages, restoredMessages } from './prepared-messages.js';
import { fencedDestination, type StreamConnection } from './stream-connection.js';

export interface FormerOutputParts {
  readonly connection: StreamConnection;
  readonly guarantee: 'exactly-once' | 'effectively-once' | 'at-least-once';
  /** Begin of the fences' subjects. */
  readonly fenceBase: string;
  readonly existing: OpeningFacts['existing'] | undefined;
}

/**
 * Publishes what the checkpoint has of a sink that had another guarantee, the way that one does:
 * only its fences or its ids tell what of it is there already.
 *
 * @throws MillraceError ERR_STATE_INCOMPATIBLE when there can be no fences any more; those of the
 *   former guarantee
 */
export async function publishFormer(parts: FormerOutputParts): Promise<void> {
  const { connection, guarantee } = parts;
  const prepared = restoredMessages(connection.context.restored);
  const fenced = prepared.filter(isFenced);
  const identified = prepared.filter((each) => !isFenced(each));
  if (guarantee !== 'exactly-once' && fenced.some(hasOutput)) {
    await (await formerFences(parts)).restore(fenced);
  }
  if (guarantee !== 'effectively-once' && identified.some(hasOutput)) {
    await new DeduplicatedDestination(connection).restore(identified);
  }
}

async function formerFences(parts: FormerOutputParts): Promise<MessageDestination> {
  const { connection, fenceBase, existing } = parts;
  try {
    return await fencedDestination(connection, fenceBase, existing);
  } catch (cause) {
    if (!(cause instanceof MillraceError) || cause.retryable) throw cause;
    const { checkpoint } = connection.context.restored!;
    const detail =
      `checkpoint ${checkpoint} has output that was prepared exactly-once, and may be published or ` +
      `not; to find out, and to publish it, the stream must be as it was: ${cause.detail}`;
    throw new MillraceError('ERR_STATE_INCOMPATIBLE', detail, { cause });
  }
}

const isFenced = ({ fence }: PreparedMessages): boolean => fence !== undefined;
const hasOutput = ({ staged }: PreparedMessages): boolean => staged.length > 0;
