import type { SinkContext } from '@millrace/core/spi';
import type { DirectConnection } from './direct-messages-writer.js';
import { fenceTokens } from './fence-marker.js';
import type { OpeningFacts } from './fence-opening.js';
import { FencedDestination } from './fenced-destination.js';
import { JetstreamPublisher } from './jetstream-publisher.js';
import { MessageCheck } from './message-check.js';
import type { MessageDestination } from './message-destination.js';
import type { NatsLink } from './nats-link.js';
import type { NatsSettings } from './nats-settings.js';
import { openNats } from './open-nats.js';
import { readPublishPermission } from './publish-permissions.js';
import { requireJetStream } from './server-features.js';
import { requireFence, type SinkStream } from './sink-stream.js';

/** A connection that publishes to one stream. */
export interface StreamConnection {
  readonly context: SinkContext;
  readonly link: NatsLink;
  readonly publisher: JetstreamPublisher;
  readonly stream: SinkStream;
  readonly check: MessageCheck;
}

/**
 * Connects, and closes the connection again if what is made of it fails.
 *
 * @param find the stream, as its server tells of it
 */
export async function connectToStream<R>(
  nats: NatsSettings,
  context: SinkContext,
  find: (link: NatsLink) => Promise<SinkStream>,
  make: (connection: StreamConnection) => R | Promise<R>,
): Promise<R> {
  const link = await openNats(nats, context, 'sink');
  try {
    await requireJetStream(link, []);
    const stream = await find(link);
    const permission = await readPublishPermission(nats, context);
    const check = new MessageCheck({ bytesMax: stream.messageBytesMax, stream, permission });
    const publisher = new JetstreamPublisher(link, context.env.random);
    return await make({ context, link, publisher, stream, check });
  } catch (error) {
    await link.close();
    throw error;
  }
}

/**
 * @param fenceBase begin of the fences' subjects
 * @throws MillraceError ERR_NATS_SERVER_TOO_OLD, ERR_NATS_STREAM_UNFIT, ERR_NATS_PERMISSION
 */
export async function fencedDestination(
  connection: StreamConnection,
  fenceBase: string,
  existing: OpeningFacts['existing'] = 'refuse',
): Promise<MessageDestination> {
  const { context, link, stream, check } = connection;
  await requireJetStream(link, ['atomicBatch']);
  const { job, operatorId: sink, subtask: shard } = context;
  const fence = `${fenceBase}.${fenceTokens({ job, sink, shard })}`;
  requireFence(stream, fence, fenceBase);
  check.checkSubject(fence);
  return new FencedDestination({ ...connection, fenceBase, existing });
}

export function directConnection({ link, check, publisher }: StreamConnection): DirectConnection {
  return { link, check, send: (message) => publisher.publish(message) };
}
