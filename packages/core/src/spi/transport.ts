/** Stops listening; nothing is received afterwards. */
export interface TransportListener {
  close(): void;
}

/**
 * Sends datagrams between the parts of a fleet, by address.
 *
 * Law: what is received was sent to that address, byte for byte, at some time. Nothing more is
 * promised: a datagram may be lost without an error, arrive late, more than once, or after later
 * ones; also while the transport says it is connected.
 */
export interface Transport {
  /** Largest datagram, bytes. */
  readonly datagramBytesMax: number;
  /** Whether sending makes sense now. What is sent while it is false is lost. */
  readonly isConnected: boolean;
  /**
   * Sends and forgets; never waits. The bytes are the transport's from then on.
   *
   * @throws MillraceError `ERR_INVARIANT` for a datagram above `datagramBytesMax`
   */
  send(address: string, datagram: Uint8Array): void;
  /** Receives what is sent to an address; the bytes are the receiver's. */
  listen(address: string, receive: (datagram: Uint8Array) => void): TransportListener;
  /** Calls back whenever `isConnected` has changed. */
  onConnection(changed: () => void): TransportListener;
}
