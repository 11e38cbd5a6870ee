import type { Msg } from '@nats-io/nats-core';
import { describe, expect, test } from 'vitest';
import { connectorLimits } from '../limits.js';
import { type ManualTime, manualTime } from '../reading/reader-driver.js';
import type { NatsLink } from './nats-link.js';
import { PullConsumer } from './pull-consumer.js';

type Callback = (error: null, message: Msg) => void;

/** A consumer of which the test plays the server. */
class Rig {
  readonly events: string[] = [];
  readonly pulls: { readonly reply: string; readonly body: Record<string, number> }[] = [];
  readonly time: ManualTime = manualTime();
  readonly consumer: PullConsumer;
  private callback: Callback = () => undefined;

  constructor() {
    const connection = {
      isClosed: () => false,
      subscribe: (_subject: string, options: { callback: Callback }) => {
        this.callback = options.callback;
        return { unsubscribe: () => this.events.push('unsubscribed') };
      },
      publish: (_subject: string, body: string, { reply }: { reply: string }) => {
        this.pulls.push({ reply, body: JSON.parse(body) });
      },
    };
    this.consumer = new PullConsumer({
      link: { connection } as unknown as NatsLink,
      env: this.time.env,
      inboxPrefix: undefined,
      stream: 'S',
      name: 'c',
      onMessage: (_message, { sequence }) => this.events.push(`message ${sequence}`),
      onPullEnd: (isTooSmall) => this.events.push(isTooSmall ? 'too small' : 'pull ended'),
      onIdle: () => this.events.push('idle'),
      onFailure: (error) => this.events.push(error.code),
      onLost: (reason) => this.events.push(`lost: ${reason}`),
    });
  }

  pull(messages: number): void {
    this.consumer.pull({ messages, bytes: 1_000 });
  }

  /** Delivers message `sequence` of the stream, as the consumer's delivery `number`. */
  deliver(number: number, sequence = number): void {
    const reply = `$JS.ACK.S.c.1.${sequence}.${number}.1795261175265993065.0`;
    this.callback(null, { subject: 's.n', reply } as Msg);
  }

  status(code: number, description: string, values: Record<string, number> = {}, pull = -1): void {
    const headers = { code, description, get: (name: string) => String(values[name] ?? '') };
    const subject = this.pulls.at(pull)!.reply;
    this.callback(null, { subject, reply: '', headers } as unknown as Msg);
  }

  heartbeat(delivered: number): void {
    this.status(100, 'Idle Heartbeat', { 'Nats-Last-Consumer': delivered });
  }

  /** So many heartbeats late. */
  silence(heartbeats: number): void {
    for (let i = 0; i < heartbeats; i += 1) this.time.advance(connectorLimits.natsHeartbeatMs);
  }
}

/** Plays `script` after a pull of 10 and says what the reader was told. */
function check(script: (rig: Rig) => void): readonly string[] {
  const rig = new Rig();
  rig.pull(10);
  script(rig);
  return rig.events;
}

const left = (count: number) => ({ 'Nats-Pending-Messages': count });

describe('a consumer whose numbers follow one another', () => {
  test('gives messages, whatever sequences they have, and asks for as many as it is told', () => {
    const rig = new Rig();
    rig.pull(2);
    rig.deliver(1, 7);
    expect(rig.consumer.isPulling).toBe(true);
    rig.deliver(2, 900);
    expect(rig.consumer.isPulling).toBe(false);
    expect(rig.events).toEqual(['message 7', 'message 900', 'pull ended']);
    expect(rig.pulls[0]!.body).toMatchObject({ batch: 2, max_bytes: 1_000 });
  });

  test('tells the end of a pull that brought less', () => {
    const events = check((rig) => {
      rig.deliver(1);
      rig.status(408, 'Request Timeout', left(9));
    });
    expect(events).toEqual(['message 1', 'pull ended']);
  });

  test('tells by bytes whether a message was too large', () => {
    const exceeded = 'Message Size Exceeds MaxBytes';
    expect(check((rig) => rig.status(409, exceeded, left(10)))).toEqual(['too small']);
    const events = check((rig) => {
      rig.deliver(1);
      rig.status(409, exceeded, left(9));
    });
    expect(events).toEqual(['message 1', 'pull ended']);
  });

  test('does not mind to be told once more of a pull that has ended', () => {
    const rig = new Rig();
    rig.pull(1);
    rig.deliver(1);
    rig.pull(1);
    rig.status(409, 'Batch Completed', left(0), 0);
    expect(rig.events).toEqual(['message 1', 'pull ended']);
    expect(rig.consumer.isPulling).toBe(true);
  });

  test('is idle while heartbeats say that nothing else was sent', () => {
    const events = check((rig) => {
      rig.deliver(1);
      rig.silence(2);
      rig.heartbeat(1);
      rig.silence(2);
      rig.heartbeat(1);
    });
    expect(events).toEqual(['message 1', 'idle', 'idle']);
  });

  test('is heard while it is asked and no heartbeat stays away', () => {
    const rig = new Rig();
    const heard: boolean[] = [];
    const look = (after: () => void): void => {
      after();
      heard.push(rig.consumer.isHeard);
    };
    look(() => undefined);
    look(() => rig.pull(1));
    look(() => rig.silence(1));
    look(() => rig.silence(1));
    look(() => rig.heartbeat(0));
    look(() => rig.deliver(1));
    expect(heard).toEqual([false, true, true, false, true, false]);
  });

  test('may be silent when nothing was asked', () => {
    const rig = new Rig();
    rig.pull(1);
    rig.deliver(1);
    rig.silence(100);
    expect(rig.events).toEqual(['message 1', 'pull ended']);
  });
});

describe('a consumer is lost, once, and hears nothing any more', () => {
  test.each<[string, (rig: Rig) => void, string]>([
    ['a delivery is left out', (rig) => rig.deliver(2), 'delivery 2 came after 0'],
    ['a heartbeat tells of one', (rig) => rig.heartbeat(3), 'delivery 1 to 3 did not arrive'],
    [
      'the end of a pull tells of one',
      (rig) => rig.status(408, 'Request Timeout', left(8)),
      '2 messages of a pull did not arrive',
    ],
    ['heartbeats stay away', (rig) => rig.silence(4), 'it is silent'],
    ['it is deleted', (rig) => rig.status(409, 'Consumer Deleted'), '409 Consumer Deleted'],
    ['its leader changes', (rig) => rig.status(409, 'Leadership Change'), '409 Leadership Change'],
    ['nobody has it', (rig) => rig.status(503, ''), '503'],
  ])('when %s', (_name, harm, reason) => {
    const events = check((rig) => {
      harm(rig);
      rig.deliver(1);
      rig.heartbeat(9);
      rig.silence(10);
    });
    expect(events).toEqual(['unsubscribed', `lost: ${reason}`]);
  });
});

test('what no server says fails the source, not the connection', () => {
  const rig = new Rig();
  rig.pull(1);
  const reply = '$JS.ACK.nonsense';
  (rig as unknown as { callback: Callback }).callback(null, {
    reply,
  } as Msg);
  expect(rig.events).toEqual(['ERR_INVARIANT']);
});
