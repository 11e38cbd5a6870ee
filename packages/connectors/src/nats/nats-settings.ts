import type { SecretReference } from './secret-reference.js';

/**
 * How to reach NATS servers. Belongs to the job's fingerprint and to `describe`, so it holds no
 * secret: those are named by where they are, see {@link SecretReference}.
 */
export interface NatsSettings {
  /**
   * `host`, `host:port` or `nats://host:port`, one or several of a cluster.
   * Default `127.0.0.1:4222`.
   */
  readonly servers?: string | readonly string[] | undefined;
  /** Shown by the server's monitoring. Default: the operator's id and the plane. */
  readonly name?: string | undefined;
  readonly auth?: NatsAuth | undefined;
  /** With this the connection is encrypted or refused; without it, encrypted where offered. */
  readonly tls?: NatsTls | undefined;
  /** Begin of reply subjects, for accounts that may not use `_INBOX`. */
  readonly inboxPrefix?: string | undefined;
}

/** Who connects. Secrets are read when connecting, each time, so that they can be renewed. */
export type NatsAuth =
  | { readonly token: SecretReference }
  | { readonly user: string; readonly password: SecretReference }
  /** An nkey seed, `SU…`. */
  | { readonly nkeySeed: SecretReference }
  /** The text of a creds file: a JWT and its seed. */
  | { readonly creds: SecretReference };

/** Paths of PEM files. */
export interface NatsTls {
  /** Whom to trust, besides what Node trusts. */
  readonly caFile?: string | undefined;
  /** The client's own certificate and key, where the server asks for one. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The server speaks TLS from the first byte on. Default false. */
  readonly handshakeFirst?: boolean | undefined;
}
