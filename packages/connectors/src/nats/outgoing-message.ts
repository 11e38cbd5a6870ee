/** A message that is to be published. */
export interface OutgoingMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  /** Undefined: none. */
  readonly headers: readonly HeaderPair[] | undefined;
}

export type HeaderPair = readonly [name: string, value: string];

/** Bytes of its headers as they travel, and 0 without any. */
function headerBytes(headers: readonly HeaderPair[] | undefined): number {
  if (headers === undefined || headers.length === 0) return 0;
  let bytes = emptyHeaderBytes;
  for (const [name, value] of headers)
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + 4;
  return bytes;
}

/** `NATS/1.0` and two line ends. */
const emptyHeaderBytes = 12;

/** What a limit of a server or stream on the size of a message counts. */
export const sizeOf = ({ payload, headers }: OutgoingMessage): number =>
  payload.length + headerBytes(headers);
