import { apiErrorCodes, apiErrorOf, askJetStream } from './jetstream-api.js';
import type { NatsLink } from './nats-link.js';

/** What a reader has to know of a stream, as its leader told it. */
export interface StreamFacts {
  readonly name: string;
  /** When it was created; another stream of the same name has another. */
  readonly created: string;
  /** Sequence of the first message that is there; one beyond the last in an empty stream. */
  readonly first: number;
  /** The highest sequence that was given. */
  readonly last: number;
  readonly retention: 'limits' | QueueRetention;
}

/** Of streams that remove a message when it is acknowledged, by all consumers or by one. */
export type QueueRetention = 'interest' | 'workqueue';

interface StreamInfo {
  readonly created: string;
  readonly config: { readonly name: string; readonly retention: StreamFacts['retention'] };
  readonly state: { readonly first_seq: number; readonly last_seq: number };
}

/**
 * Asks for a stream; undefined: there is none.
 *
 * @throws ERR_NATS_NO_JETSTREAM, ERR_SOURCE_FAILED, why the link failed
 */
export async function readStream(
  link: NatsLink,
  name: string,
  timeoutMs?: number,
): Promise<StreamFacts | undefined> {
  const subject = `STREAM.INFO.${name}`;
  const answer = await askJetStream<StreamInfo>(link, subject, undefined, timeoutMs);
  const { error, created, config, state } = answer;
  if (error?.err_code === apiErrorCodes.streamNotFound) return undefined;
  if (error !== undefined) throw apiErrorOf(error, `stream ${name}`);
  return {
    name,
    created: created!,
    // A stream that never had a message says 0.
    first: Math.max(1, state!.first_seq),
    last: state!.last_seq,
    retention: config!.retention,
  };
}

/** Sequence of the last message of a subject, which may have wildcards; undefined: none. */
export async function lastOfSubject(
  link: NatsLink,
  stream: string,
  subject: string,
): Promise<number | undefined> {
  const answer = await askJetStream<{ readonly message: { readonly seq: number } }>(
    link,
    `STREAM.MSG.GET.${stream}`,
    { last_by_subj: subject },
  );
  if (answer.error?.err_code === apiErrorCodes.messageNotFound) return undefined;
  if (answer.error !== undefined) throw apiErrorOf(answer.error, `stream ${stream}`);
  return answer.message!.seq;
}
