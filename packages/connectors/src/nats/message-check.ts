import { MillraceError } from '@millrace/core';
import { connectorLimits } from '../limits.js';
import { isPublishable, takesSubject } from './message-subject.js';
import { type OutgoingMessage, sizeOf } from './outgoing-message.js';
import type { PublishPermission } from './publish-permissions.js';

export interface MessageCheckParts {
  /** Of a message with its headers. */
  readonly bytesMax: number;
  /** Undefined: what is published belongs to no stream. */
  readonly stream: { readonly name: string; readonly subjects: readonly string[] } | undefined;
  readonly permission: PublishPermission;
}

/** Finds what a server would refuse while it is still known which record it comes from. */
export class MessageCheck {
  private readonly parts: MessageCheckParts;
  private readonly valid = new Set<string>();

  constructor(parts: MessageCheckParts) {
    this.parts = parts;
  }

  /** @throws MillraceError ERR_SINK_RECORD, ERR_NATS_PERMISSION */
  check(message: OutgoingMessage): void {
    const { subject } = message;
    const bytes = sizeOf(message);
    const { bytesMax } = this.parts;
    if (bytes > bytesMax) {
      const detail = `its message for "${subject}" has ${bytes} bytes, ${bytesMax} are allowed`;
      throw new MillraceError('ERR_SINK_RECORD', detail);
    }
    if (this.valid.has(subject)) return;
    this.checkSubject(subject);
    if (this.valid.size >= connectorLimits.natsSubjectsRememberedMax) this.valid.clear();
    this.valid.add(subject);
  }

  /** @throws MillraceError ERR_SINK_RECORD, ERR_NATS_PERMISSION */
  checkSubject(subject: string): void {
    const { stream, permission } = this.parts;
    if (typeof subject !== 'string' || !isPublishable(subject)) {
      const detail = `${JSON.stringify(subject)} is no subject that can be published to`;
      throw new MillraceError('ERR_SINK_RECORD', detail);
    }
    if (stream?.subjects.some((filter) => takesSubject(filter, subject)) === false) {
      const detail = `stream ${stream.name} does not take "${subject}"`;
      throw new MillraceError('ERR_SINK_RECORD', detail);
    }
    if (!permission(subject)) {
      throw new MillraceError('ERR_NATS_PERMISSION', `publishing to "${subject}"`);
    }
  }
}
