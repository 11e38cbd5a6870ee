import { MillraceError } from '@millrace/core';

/** What the server says of a message it delivers for a consumer. */
export interface Delivery {
  /** How often it was delivered by this consumer; 1: for the first time. */
  readonly deliveries: number;
  /** Sequence in the stream. */
  readonly sequence: number;
  /** Number among all that this consumer has delivered: 1, 2, 3 … without gaps. */
  readonly consumerSequence: number;
  /** When it was stored, nanoseconds since 1970: too many digits for a number. */
  readonly timeNs: string;
  /** The same in whole milliseconds. */
  readonly timeMs: number;
  /** Messages for this consumer behind this one, when it was delivered. */
  readonly pending: number;
}

/**
 * Reads the reply subject of a message:
 * `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<deliveries>.<sequence>.<consumer
 * sequence>.<time>.<pending>[.<token>]`. Called for each message, so it makes no pieces of it.
 *
 * @throws MillraceError ERR_INVARIANT when it is none
 */
export function deliveryOf(reply: string): Delivery {
  const from = firstNumberAt(reply);
  const sequenceAt = reply.indexOf('.', from) + 1;
  const consumerAt = reply.indexOf('.', sequenceAt) + 1;
  const timeAt = reply.indexOf('.', consumerAt) + 1;
  const pendingAt = reply.indexOf('.', timeAt) + 1;
  const tokenAt = reply.indexOf('.', pendingAt);
  const end = tokenAt < 0 ? reply.length : tokenAt;
  return {
    deliveries: wholeIn(reply, from, sequenceAt - 1),
    sequence: wholeIn(reply, sequenceAt, consumerAt - 1),
    consumerSequence: wholeIn(reply, consumerAt, timeAt - 1),
    timeNs: reply.slice(timeAt, pendingAt - 1),
    timeMs: wholeIn(reply, timeAt, pendingAt - 1 - nanosecondDigits),
    pending: wholeIn(reply, pendingAt, end),
  };
}

/** Digits of a time in nanoseconds behind those of its milliseconds. */
const nanosecondDigits = 6;
const prefix = '$JS.ACK.';

function firstNumberAt(reply: string): number {
  if (!reply.startsWith(prefix)) refuse(reply);
  let dots = 0;
  for (let i = 0; i < reply.length; i += 1) if (reply.charCodeAt(i) === 46) dots += 1;
  // Without domain and account there are nine parts.
  if (dots < 8 || dots === 9) refuse(reply);
  let at = prefix.length;
  for (let skipped = dots === 8 ? 2 : 4; skipped > 0; skipped -= 1) {
    at = reply.indexOf('.', at) + 1;
  }
  return at;
}

function wholeIn(text: string, from: number, to: number): number {
  let value = 0;
  if (to <= from) refuse(text);
  for (let i = from; i < to; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) refuse(text);
    value = value * 10 + digit;
  }
  return value;
}

function refuse(reply: string): never {
  throw new MillraceError('ERR_INVARIANT', `"${reply}" is no reply subject of a delivery`);
}
