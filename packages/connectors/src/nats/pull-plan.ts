/** What a reader holds of a split, and what it may. */
export interface PullSituation {
  /** Messages received and not taken by the job yet. */
  readonly messages: number;
  readonly bytes: number;
  readonly messagesMax: number;
  readonly bytesMax: number;
  /** The last pull ended without a message, as the next one is larger than it asked for. */
  readonly isTooSmall: boolean;
}

/** How much to ask a consumer for. */
export interface Pull {
  readonly messages: number;
  /** Undefined: whatever it takes. */
  readonly bytes: number | undefined;
}

/**
 * What to ask for when no question is open; undefined: nothing, before the job takes more. A reader
 * is filled up when it is half empty, so that a round trip passes while the job has work.
 */
export function nextPull(held: PullSituation): Pull | undefined {
  const { messages, bytes, messagesMax, bytesMax, isTooSmall } = held;
  if (isTooSmall) return messages === 0 ? { messages: 1, bytes: undefined } : undefined;
  if (messages > messagesMax / 2 || bytes > bytesMax / 2) return undefined;
  return { messages: messagesMax - messages, bytes: bytesMax - bytes };
}
