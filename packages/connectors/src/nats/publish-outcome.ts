import type { ApiError } from './jetstream-api.js';

/** What became of something that was published. */
export type PublishOutcome =
  | { readonly kind: 'stored'; readonly sequence: number; readonly isDuplicate: boolean }
  | { readonly kind: 'refused'; readonly error: ApiError }
  /** It may have been stored, or may still be. */
  | { readonly kind: 'unanswered'; readonly why: string };

/** Error codes of a stream that say something about what was published. */
export const publishErrorCodes = {
  /** `wrong last sequence: N`: the condition does not hold. */
  wrongLastSequence: 10_071,
  /** Another message with a condition on that subject is in progress. */
  busy: 10_164,
  /** Parts of the batch are missing, or were refused. */
  batchIncomplete: 10_176,
} as const;

/** A stream, or a server with its atomic batches, has too much to do now. */
const tooManyRequests = 429;
const passing: readonly number[] = Object.values(publishErrorCodes);

/** Whether the same may be stored when it is published again. */
export function mayPass({ code, err_code }: ApiError): boolean {
  return code >= 500 || code === tooManyRequests || passing.includes(err_code);
}

export const refusalText = ({ description, err_code }: ApiError): string =>
  `${description} (${err_code})`;
