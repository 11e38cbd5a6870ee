import { MillraceError } from '@millrace/core';
import type { SinkContext } from '@millrace/core/spi';
import { connectorLimits } from '../limits.js';
import {
  type Fence,
  type FenceMarker,
  type FenceOwner,
  type FencePosition,
  fenceHeader,
  markerBody,
  markerOf,
} from './fence-marker.js';
import {
  decideOpening,
  type OpeningFacts,
  type RestoredShard,
  type StagedEntry,
  type Unpublished,
} from './fence-opening.js';
import { decideRefusal } from './fence-refusal.js';
import { apiErrorCodes, askJetStream } from './jetstream-api.js';
import type { JetstreamPublisher } from './jetstream-publisher.js';
import type { NatsLink } from './nats-link.js';
import type { HeaderPair, OutgoingMessage } from './outgoing-message.js';
import { Patience } from './patience.js';
import { mayPass, type PublishOutcome, publishErrorCodes, refusalText } from './publish-outcome.js';

export interface FencedOutputParts {
  readonly context: SinkContext;
  readonly link: NatsLink;
  readonly publisher: JetstreamPublisher;
  readonly stream: string;
  /** Subject of the fence. */
  readonly subject: string;
  readonly owner: FenceOwner;
  readonly existing: OpeningFacts['existing'];
}

/**
 * Publishes one shard's output in atomic batches, each of which ends with a marker on the shard's
 * fence. The server stores a batch only behind the marker that is expected to be the last one, so
 * of several processes that publish the same, one does. One batch is on its way at a time.
 */
export class FencedOutput {
  private readonly parts: FencedOutputParts;
  private last = 0;

  constructor(parts: FencedOutputParts) {
    this.parts = parts;
  }

  /** Where the fence stands as far as is known: sequence of the last marker, 0 without one. */
  get sequence(): number {
    return this.last;
  }

  /**
   * Reads the fence and says from where on is to be published. Where this begins a new history the
   * fence is marked first, which shuts out those of the old one.
   *
   * @throws MillraceError ERR_SINK_FENCED, ERR_SINK_CHANGED, ERR_METADATA_ROLLBACK,
   *   ERR_REPLAY_NOT_ACCEPTED
   */
  async open(restored: RestoredShard | undefined): Promise<Unpublished> {
    const { context, existing } = this.parts;
    const { replay } = context;
    const patience = this.patience();
    for (let looks = 1; ; looks += 1) {
      const fence = await this.read();
      const lineage = context.lineage!;
      const decision = decideOpening({ fence, lineage, replay, existing, restored });
      if (decision.kind === 'refuse') {
        if (!decision.mayBeStale || looks >= connectorLimits.natsFenceLooksMax) {
          throw this.error(decision.code, decision.detail);
        }
        await patience.wait(decision.detail);
        continue;
      }
      this.last = decision.sequence;
      const { from, mark, again } = decision;
      if (mark === undefined) return from;
      if (again !== undefined) {
        context.log.log('warn', 'output is published again', this.fields({ again }));
      }
      // Then the fence says from where on.
      await this.mark(mark, restored?.entries ?? [], looks);
    }
  }

  /** Somebody else may be quicker: then the fence says something else by now. */
  private async mark(
    position: FencePosition,
    entries: readonly StagedEntry[],
    looks: number,
  ): Promise<void> {
    try {
      await this.publish([], position, entries);
    } catch (error) {
      const isFenced = error instanceof MillraceError && error.code === 'ERR_SINK_FENCED';
      if (!isFenced || looks >= connectorLimits.natsFenceLooksMax) throw error;
    }
  }

  /**
   * Stores messages with the marker that says so. When it is answered by nobody, or refused, the
   * fence tells whether it was stored. Resolves with what is then published: that position, or one
   * further on in the same entries, where another process has published them.
   *
   * @param entries what is committed and to be published, with the position's checkpoint
   * @throws MillraceError ERR_SINK_FENCED when another process has published more, or has taken
   *   over; ERR_SINK_CHANGED, ERR_NATS_STREAM_UNFIT; ERR_SINK_FAILED when it takes too long
   */
  async publish(
    messages: readonly OutgoingMessage[],
    position: FencePosition,
    entries: readonly StagedEntry[],
  ): Promise<FencePosition> {
    const { link, publisher, context } = this.parts;
    const { job, sink, shard } = this.parts.owner;
    const lineage = context.lineage!.id;
    const marker: FenceMarker = { format: 1, job, sink, shard, lineage, ...position };
    const patience = this.patience();
    let answers: 'last' | 'each' = 'last';
    for (let looks = 1; ; ) {
      await link.whenOpen();
      const last = this.messageOf(marker);
      const outcome = await publisher.publishBatch(messages, last, this.conditions(), answers);
      if (outcome.kind === 'stored') {
        this.last = outcome.sequence;
        return position;
      }
      if (isIncomplete(outcome)) answers = 'each';
      this.refuseForGood(outcome);
      const fence = await this.read();
      const decision = decideRefusal({ marker, expected: this.last, entries, fence });
      if (decision.kind === 'stored') {
        this.last = decision.fence.sequence;
        return decision.fence.marker;
      }
      if (decision.kind === 'refuse') {
        if (!decision.mayBeStale || looks >= connectorLimits.natsFenceLooksMax) {
          throw this.error(decision.code, decision.detail);
        }
        looks += 1;
      }
      await patience.wait(whyOf(outcome));
    }
  }

  /** The last marker, as the leader of the stream knows it. */
  private async read(): Promise<Fence | undefined> {
    const { link, stream, subject, owner } = this.parts;
    const patience = this.patience();
    for (;;) {
      await link.whenOpen();
      const answer = await askJetStream<{ readonly message: StoredMessage }>(
        link,
        `STREAM.MSG.GET.${stream}`,
        { last_by_subj: subject },
      ).catch((error: unknown) => failedAnswer(error));
      const { error, message } = answer;
      if (message !== undefined) {
        const body = Buffer.from(message.data ?? '', 'base64').toString();
        return { sequence: message.seq, marker: markerOf(body, subject, owner) };
      }
      if (error?.err_code === apiErrorCodes.messageNotFound) return undefined;
      if (error !== undefined && !mayPass(error)) {
        throw this.error('ERR_NATS_STREAM_UNFIT', `stream ${stream}: ${refusalText(error)}`);
      }
      await patience.wait(`the fence cannot be read: ${error?.description}`);
    }
  }

  private messageOf(marker: FenceMarker): OutgoingMessage {
    return { subject: this.parts.subject, payload: markerBody(marker), headers: undefined };
  }

  private conditions(): readonly HeaderPair[] {
    const expected: HeaderPair = ['Nats-Expected-Last-Subject-Sequence', String(this.last)];
    const mark: HeaderPair = [fenceHeader, '1'];
    // Older markers stay until the stream's limits remove them: a marker that removed them would
    // move the stream's beginning, and readers of other subjects could not tell that from a loss.
    return [mark, expected];
  }

  private refuseForGood(outcome: PublishOutcome): void {
    if (outcome.kind !== 'refused' || mayPass(outcome.error)) return;
    const detail = `stream ${this.parts.stream} refuses output: ${refusalText(outcome.error)}`;
    throw this.error('ERR_NATS_STREAM_UNFIT', detail);
  }

  private patience(): Patience {
    return new Patience(this.parts.link, this.parts.context);
  }

  private error(code: MillraceError['code'], detail: string): MillraceError {
    const { stream, subject, context } = this.parts;
    const where = `fence "${subject}" of stream ${stream}`;
    return new MillraceError(code, `${where}: ${detail}`, { operator: context.operatorId });
  }

  private fields(more: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    const { stream, subject, context } = this.parts;
    return { operator: context.operatorId, stream, fence: subject, ...more };
  }
}

interface StoredMessage {
  readonly seq: number;
  /** Base64; left out where it is empty. */
  readonly data?: string;
}

/** No answer is like one that says that there is none now. */
function failedAnswer(error: unknown): { error: ApiFailure; message?: undefined } {
  if (!(error instanceof MillraceError) || error.code !== 'ERR_NATS_NO_JETSTREAM') throw error;
  return { error: { code: 503, err_code: 0, description: error.detail } };
}

interface ApiFailure {
  readonly code: number;
  readonly err_code: number;
  readonly description: string;
}

const isIncomplete = (outcome: PublishOutcome): boolean =>
  outcome.kind === 'refused' && outcome.error.err_code === publishErrorCodes.batchIncomplete;

const whyOf = (outcome: PublishOutcome): string =>
  outcome.kind === 'refused'
    ? refusalText(outcome.error)
    : outcome.kind === 'unanswered'
      ? outcome.why
      : '';
