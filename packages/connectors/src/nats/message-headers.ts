import { headers, type MsgHdrs } from '@nats-io/nats-core';
import type { HeaderPair } from './outgoing-message.js';

/** Headers as options of publishing and requesting. */
export function withHeaders(pairs: readonly HeaderPair[] = []): { readonly headers?: MsgHdrs } {
  if (pairs.length === 0) return {};
  const made = headers();
  for (const [name, value] of pairs) made.set(name, value);
  return { headers: made };
}
