import { crc32 } from 'node:zlib';
import type { MillraceError } from '@millrace/core';
import type { Transport } from '@millrace/core/spi';
import { LossyTransportHub, virtualEnv } from '@millrace/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DatagramCodec, datagramKinds } from './datagram-codec.js';
import { Link } from './link.js';
import { defaultLinkLimits } from './link-limits.js';

const attempt = 77n;

/** Writes down what it is told, and whether that was from within `send`. */
class End {
  readonly link: Link;
  readonly frames: string[] = [];
  readonly failures: MillraceError[] = [];
  rooms = 0;
  calledBackWithinSend = false;
  onFrame: () => void = () => {};
  private isSending = false;

  constructor(
    env: ReturnType<typeof virtualEnv>,
    transport: Transport,
    ownAddress: string,
    peerAddress: string,
  ) {
    const note = (): void => {
      this.calledBackWithinSend ||= this.isSending;
    };
    const listener = {
      onFrame: (frame: Uint8Array) => {
        note();
        this.frames.push(Buffer.from(frame).toString());
        this.onFrame();
      },
      onRoom: () => {
        note();
        this.rooms += 1;
      },
      onFailure: (error: MillraceError) => {
        note();
        this.failures.push(error);
      },
    };
    const limits = { ...defaultLinkLimits, bufferBytesMax: 1_000 };
    const identity = { attempt, ownAddress, peerAddress };
    this.link = new Link({ ...identity, env, transport, checksum: crc32, listener, limits });
  }

  send(...texts: readonly string[]): void {
    this.isSending = true;
    for (const text of texts) this.link.send(new Uint8Array(Buffer.from(text)));
    this.isSending = false;
  }
}

class Rig {
  readonly env = virtualEnv();
  readonly hub = new LossyTransportHub({ env: this.env, datagramBytesMax: 240 });
  readonly here = this.hub.connect('here');
  readonly there = this.hub.connect('there');
  readonly a = new End(this.env, this.here, 'a', 'b');
  readonly b = new End(this.env, this.there, 'b', 'a');

  /** As if `a` had sent it. */
  forge(sequence: number, acknowledged: number, restBytes = 0): void {
    const codec = new DatagramCodec({ attempt, ownAddress: 'a', peerAddress: 'b' }, crc32);
    const frame = new Uint8Array(1 + restBytes);
    const numbers = { sequence, acknowledged, round: 0 };
    const piece = { frame, from: 0, to: 1 };
    this.here.send('b', codec.encode(datagramKinds.data, numbers, piece));
  }
}

describe('a link', () => {
  test('carries frames both ways', () => {
    const { a, b, env } = new Rig();
    a.send('one', 'two', '');
    b.send('three');
    env.advance(100);
    expect([b.frames, a.frames]).toEqual([['one', 'two', ''], ['three']]);
    expect([a.link.bufferedBytes, b.link.bufferedDatagrams]).toEqual([0, 0]);
  });

  test('carries frames larger than a datagram', () => {
    const { a, b, env } = new Rig();
    const long = 'long '.repeat(100);
    a.send('before', long, 'after');
    env.advance(100);
    expect(b.frames).toEqual(['before', long, 'after']);
  });

  test('tells when there is room again', () => {
    const { a, env } = new Rig();
    a.send('x'.repeat(600));
    expect(a.link.hasRoom).toBe(true);
    a.send('x'.repeat(600));
    expect([a.link.hasRoom, a.rooms]).toEqual([false, 0]);
    env.advance(100);
    expect([a.link.hasRoom, a.rooms]).toEqual([true, 1]);
  });

  test('acknowledges by data where there is some', () => {
    const { a, b, env } = new Rig();
    b.onFrame = () => b.send('answer');
    a.onFrame = () => a.frames.length < 100 && a.send('question');
    a.send('question');
    env.advance(5_000);
    expect(a.frames).toHaveLength(100);
    expect(a.link.counts.datagramsSent).toBeLessThan(110);
  });

  test('sets no timer when there is nothing to do', () => {
    const { a, b, env, hub } = new Rig();
    a.send('one');
    env.advance(1_000);
    const before = hub.counts.sent;
    env.advance(600_000);
    expect(hub.counts.sent).toBe(before);
    expect([...a.failures, ...b.failures]).toEqual([]);
  });

  test('finds a lost tail', () => {
    const { a, b, env, hub } = new Rig();
    a.send('one');
    env.advance(50);
    hub.change({ dropShare: 1 });
    a.send('two');
    env.advance(50);
    hub.change({ dropShare: 0 });
    env.advance(200);
    expect(b.frames).toEqual(['one', 'two']);
  });

  test('sends nothing while there is no connection', () => {
    const { a, b, env, hub, here } = new Rig();
    a.send('one');
    env.advance(50);
    here.disconnect();
    const before = hub.counts.sent;
    a.send('two', 'three');
    env.advance(5_000);
    expect(hub.counts.sent).toBe(before);
    here.reconnect();
    env.advance(10);
    expect(b.frames).toEqual(['one', 'two', 'three']);
  });

  test('never calls back from within send, even if the transport delivers at once', () => {
    const env = virtualEnv();
    const receivers = new Map<string, (datagram: Uint8Array) => void>();
    const transport: Transport = {
      datagramBytesMax: 240,
      isConnected: true,
      send: (address, datagram) => receivers.get(address)?.(datagram),
      listen: (address, receive) => {
        receivers.set(address, receive);
        return { close: () => receivers.delete(address) };
      },
      onConnection: () => ({ close: () => {} }),
    };
    const a = new End(env, transport, 'a', 'b');
    const b = new End(env, transport, 'b', 'a');
    b.onFrame = () => b.send('y'.repeat(900));
    a.send('x'.repeat(900), 'x'.repeat(900));
    env.advance(100);
    expect([a.frames.length, b.frames.length, a.rooms]).toEqual([2, 2, 1]);
    expect([a.calledBackWithinSend, b.calledBackWithinSend]).toEqual([false, false]);
  });

  test('acknowledges what it has before it is closed, and does nothing afterwards', () => {
    const { a, b, env } = new Rig();
    a.send('one');
    env.advance(3);
    expect([b.frames, a.link.bufferedBytes]).toEqual([['one'], 3]);
    b.link.close();
    b.link.close();
    b.send('late');
    env.advance(3);
    expect([a.link.bufferedBytes, a.frames]).toEqual([0, []]);
  });

  test('may be closed by its listener', () => {
    const { a, b, env } = new Rig();
    b.onFrame = () => b.link.close();
    a.send('one', 'two');
    env.advance(1_000);
    expect(b.frames).toEqual(['one']);
  });
});

describe('failure', () => {
  function check({ failures, link }: End, code: string, text: RegExp): void {
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ code, retryable: true });
    expect(failures[0]!.message).toMatch(text);
    expect(link.hasRoom).toBe(false);
  }

  test('follows 15 s without progress while a peer is dead', () => {
    const { a, b, env } = new Rig();
    a.send('one');
    env.advance(5_000);
    b.link.close();
    a.send('two');
    env.advance(14_999);
    expect(a.failures).toEqual([]);
    env.advance(1);
    check(a, 'ERR_LINK_STALLED', /a to b: 1 datagrams with 3 bytes .* is connected/);
    env.advance(60_000);
    expect(a.failures).toHaveLength(1);
  });

  test('follows whenever a peer dies, within 15 s of what it acknowledged last', () => {
    const faults = fc.record({
      dropShare: fc.double({ min: 0, max: 0.4, noNaN: true }),
      duplicateShare: fc.double({ min: 0, max: 0.4, noNaN: true }),
      delayMs: fc.nat({ max: 50 }).map((most) => [0, most] as const),
      order: fc.constantFrom('kept' as const, 'any' as const),
    });
    fc.assert(
      fc.property(fc.nat({ max: 3_000 }), faults, (diesAtMs, path) => {
        const { a, b, env, hub } = new Rig();
        hub.change(path);
        const send = (): void => {
          if (a.link.hasRoom) a.send('one');
          env.scheduler.after(100, send);
        };
        send();
        env.advance(diesAtMs);
        b.link.close();
        env.advance(11_900);
        expect(a.failures).toEqual([]);
        // What was on its way when it died may be acknowledged, and the next frame 100 ms away.
        env.advance(3_100 + 100 + 2 * path.delayMs[1]);
        check(a, 'ERR_LINK_STALLED', /a to b/);
      }),
    );
  });

  test('follows 15 s without a connection', () => {
    const { a, env, here } = new Rig();
    here.disconnect();
    a.send('one');
    env.advance(15_000);
    check(a, 'ERR_LINK_STALLED', /is not connected/);
  });

  test('says what was refused meanwhile', () => {
    const { a, b, env, hub } = new Rig();
    hub.change({ flipShare: 1 });
    a.send('one');
    b.send('two');
    env.advance(15_000);
    check(a, 'ERR_LINK_STALLED', /refused: \d+ /);
    expect([a.frames, b.frames]).toEqual([[], []]);
  });

  test('does not follow the time in which the process was stopped', () => {
    const { a, b, env } = new Rig();
    // A clock that jumps on, and timers that fire late by that.
    let asleepMs = 0;
    const clock = { ...env.clock, monotonicMs: () => env.clock.monotonicMs() + asleepMs };
    b.link.close();
    a.link.close();
    const hub = new LossyTransportHub({ env });
    const sleepy = new End({ ...env, clock }, hub.connect('x'), 'x', 'y');
    sleepy.send('one');
    asleepMs = 60_000;
    env.advance(14_000);
    expect(sleepy.failures).toEqual([]);
    env.advance(2_000);
    check(sleepy, 'ERR_LINK_STALLED', /x to y/);
  });

  test('follows an acknowledgement of what was never sent', () => {
    const rig = new Rig();
    rig.forge(1, 5);
    rig.env.advance(10);
    check(rig.b, 'ERR_LINK_BROKEN', /datagram 5 of 0 is acknowledged/);
    expect(rig.b.frames).toEqual([]);
  });

  test('follows pieces of a frame that do not fit', () => {
    const rig = new Rig();
    rig.forge(1, 0, 9);
    rig.forge(2, 0, 3);
    rig.env.advance(10);
    check(rig.b, 'ERR_LINK_BROKEN', /do not continue a frame of 10/);
  });

  test('follows when an end is started again in the same attempt, before anything is lost', () => {
    const { a, b, env, here } = new Rig();
    a.send('one');
    env.advance(100);
    a.link.close();
    const again = new End(env, here, 'a', 'b');
    again.send('first', 'second');
    env.advance(100);
    check(again, 'ERR_LINK_BROKEN', /datagram 1 of 0 is acknowledged/);
    expect(b.frames).toEqual(['one']);
  });

  test('of the transport is not thrown by send', () => {
    const { a, env, here } = new Rig();
    here.send = () => {
      throw new Error('too large');
    };
    a.send('one');
    expect(a.failures).toEqual([]);
    env.advance(0);
    check(a, 'ERR_LINK_BROKEN', /took no datagram/);
    expect(a.calledBackWithinSend).toBe(false);
  });
});
