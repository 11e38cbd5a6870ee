import type { MessageDecoder } from './message-codec.js';
import type { ReceivedMessage } from './received-message.js';

/** A change of a key in a bucket. */
export interface KvRecord<V> {
  readonly key: string;
  /** Undefined when the key was deleted. */
  readonly value: V | undefined;
  /** `purge` is `delete` with the history; also what a server says when a value has expired. */
  readonly operation: 'put' | 'delete' | 'purge';
  /** Sequence of the change in the bucket. */
  readonly revision: number;
  /** When the server stored it, epoch ms. */
  readonly timeMs: number;
}

/** A change from a message of the bucket's stream; its subject is `$KV.<bucket>.<key>`. */
export function kvDecoder<V>(
  decode: MessageDecoder<V, ReceivedMessage>,
): MessageDecoder<KvRecord<V>, ReceivedMessage> {
  return (message) => {
    const { subject, sequence: revision, timeMs } = message;
    const operation = operationOf(message);
    const key = subject.slice(subject.indexOf('.', '$KV.'.length) + 1);
    const value = operation === 'put' ? decode(message) : undefined;
    return { key, value, operation, revision, timeMs };
  };
}

function operationOf(message: ReceivedMessage): KvRecord<unknown>['operation'] {
  switch (message.header('KV-Operation') ?? message.header('Nats-Marker-Reason')) {
    case 'DEL':
    case 'Remove':
      return 'delete';
    case 'PURGE':
    case 'Purge':
    case 'MaxAge':
      return 'purge';
    default:
      return 'put';
  }
}
