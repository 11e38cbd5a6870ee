import { MillraceError } from '@millrace/core';
import type { SinkRestore, StagedBlob } from '@millrace/core/spi';
import type { StagedEntry } from './fence-opening.js';

/** What one checkpoint added to the output that is not published. */
export interface PreparedEntry extends StagedEntry {
  /** Place of its blob in `staged`; null: it has no output. */
  readonly blob: number | null;
  readonly messages: number;
  /** When it was prepared, epoch ms. */
  readonly preparedMs: number;
}

/** Output that is staged and not published. */
export interface PreparedOutput {
  readonly staged: readonly StagedBlob[];
  /** In the order of their publication. */
  readonly entries: readonly PreparedEntry[];
}

/** What a sink of messages prepares for a checkpoint: all that is needed to publish it, as JSON. */
export interface PreparedMessages extends PreparedOutput {
  readonly format: 1;
  readonly kind: 'messages';
  readonly stream: string;
  /** Undefined where output is not fenced. */
  readonly fence?: { readonly subject: string; readonly sequence: number };
  readonly shard: number;
  readonly lineage: string;
}

/**
 * What a checkpoint holds of a sink of messages, by the subtasks that there were.
 *
 * @throws MillraceError ERR_STATE_INCOMPATIBLE when it is another sink's
 */
export const restoredMessages = (restored: SinkRestore | undefined): readonly PreparedMessages[] =>
  // A writer that publishes as it goes prepares nothing.
  (restored?.prepared ?? [])
    .filter((each) => each !== undefined && each !== null)
    .map(preparedMessagesOf);

function preparedMessagesOf(prepared: unknown): PreparedMessages {
  const found = prepared as Partial<PreparedMessages>;
  const isMessages = found.kind === 'messages' && found.format === 1;
  if (isMessages && Array.isArray(found.entries)) return found as PreparedMessages;
  const shown = JSON.stringify(prepared).slice(0, shownCharsMax);
  const detail = `the checkpoint holds what no sink of messages prepared: ${shown}`;
  throw new MillraceError('ERR_STATE_INCOMPATIBLE', detail);
}

const shownCharsMax = 200;
