import { crc32 } from 'node:zlib';
import type { MillraceError } from '@millrace/core';
import { type LossyPath, LossyTransportHub, virtualEnv } from '@millrace/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DatagramCodec, type DatagramHeader } from './datagram-codec.js';
import { Link } from './link.js';
import { defaultLinkLimits, type LinkLimits } from './link-limits.js';
import { type LinkParts, LinkProtocol, linkParts } from './link-protocol.js';
import { LinkReceiver } from './link-receiver.js';
import { LinkSender } from './link-sender.js';
import { RetransmitBuffer } from './retransmit-buffer.js';

const datagramBytesMax = 240;
const payloadBytesMax = 200;
const frameBytesMax = 700;
const limits: LinkLimits = {
  ...defaultLinkLimits,
  bufferBytesMax: 3_000,
  windowDatagramsMax: 24,
  windowDatagramsMin: 4,
  frameBytesMax,
  // What faults last is chosen at random; failing is another test's subject.
  stallMs: 3_600_000,
};

/** A stretch of time with its faults. */
interface Episode {
  readonly durationMs: number;
  readonly path: LossyPath;
  readonly isPartitioned: boolean;
  readonly disconnected: 'none' | 'here' | 'there' | 'both';
  /** Frames that each end has to send from now on. */
  readonly frames: readonly [number, number];
}

interface Scenario {
  readonly seed: number;
  readonly episodes: readonly Episode[];
}

const share = (max: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: 100 }).map((part) => (part * max) / 100),
  );

const episode: fc.Arbitrary<Episode> = fc.record({
  durationMs: fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 1_500 })),
  path: fc.record({
    dropShare: share(0.6),
    duplicateShare: share(0.5),
    flipShare: share(0.3),
    delayMs: fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 60 })).map(([least, more]) => {
      return [least, least + more] as const;
    }),
    order: fc.constantFrom('kept' as const, 'any' as const),
  }),
  isPartitioned: fc.integer({ min: 0, max: 5 }).map((draw) => draw === 0),
  disconnected: fc.constantFrom(
    ...(['none', 'none', 'none', 'none', 'here', 'there', 'both'] as const),
  ),
  frames: fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 60 })),
});

const scenario: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(),
  episodes: fc.array(episode, { minLength: 1, maxLength: 8 }),
});

/** Each frame is different, and its length jumps about the sizes that matter. */
function frameOf(stream: number, index: number): Uint8Array<ArrayBuffer> {
  const sizes = [4, 5, payloadBytesMax, payloadBytesMax + 1, 31, 9, 64, frameBytesMax, 100];
  const bytes = new Uint8Array(sizes[(index * 7 + stream) % sizes.length]!).fill(index + stream);
  new DataView(bytes.buffer).setUint32(0, stream * 1_000_000 + index);
  return bytes;
}

/** Breaks one end's parts on purpose. */
type Break = (parts: LinkParts) => LinkParts;

/** One end, which sends as long as there is room and compares what arrives. */
class End {
  readonly link: Link;
  readonly violations: string[] = [];
  received = 0;
  private readonly parts: LinkParts;
  private readonly stream: number;
  private readonly peerStream: number;
  private wanted = 0;
  private sent = 0;
  private isSending = false;

  constructor(
    env: ReturnType<typeof virtualEnv>,
    transport: ConstructorParameters<typeof Link>[0]['transport'],
    name: { attempt: bigint; ownAddress: string; peerAddress: string },
    streams: readonly [number, number],
    broken: Break,
  ) {
    [this.stream, this.peerStream] = streams;
    const listener = {
      onFrame: (frame: Uint8Array) => this.onFrame(frame),
      onRoom: () => {
        if (this.isSending) this.violations.push('called back from within send');
        this.send();
      },
      onFailure: (error: MillraceError) => this.violations.push(error.message),
    };
    this.parts = broken(linkParts(name, limits, crc32, datagramBytesMax));
    const options = { ...name, env, transport, checksum: crc32, listener, limits };
    this.link = new Link(options, new LinkProtocol(this.parts));
  }

  get wantedFrames(): number {
    return this.wanted;
  }

  want(frames: number): void {
    this.wanted += frames;
    this.send();
  }

  /** Bounds that hold at any time. */
  inspect(): void {
    const { bufferedBytes, bufferedDatagrams } = this.link;
    const pieces = Math.ceil(frameBytesMax / payloadBytesMax);
    if (
      bufferedBytes >= limits.bufferBytesMax + frameBytesMax ||
      bufferedDatagrams >= limits.windowDatagramsMax + pieces ||
      this.parts.receiver.partialBytes > frameBytesMax
    ) {
      this.violations.push(`${bufferedBytes} bytes, ${bufferedDatagrams} datagrams are kept`);
    }
  }

  private send(): void {
    this.isSending = true;
    try {
      while (this.sent < this.wanted && this.link.hasRoom) {
        this.link.send(frameOf(this.stream, this.sent));
        this.sent += 1;
      }
    } catch (error) {
      this.violations.push(String(error));
    }
    this.isSending = false;
  }

  private onFrame(frame: Uint8Array): void {
    if (this.isSending) this.violations.push('called back from within send');
    const expected = frameOf(this.peerStream, this.received);
    if (Buffer.compare(frame, expected) !== 0) {
      this.violations.push(`another frame than ${this.peerStream}:${this.received} arrived`);
    }
    this.received += 1;
  }
}

/** Two attempts at once, between the same addresses. */
function run({ seed, episodes }: Scenario, broken: Break): readonly string[] {
  const env = virtualEnv({ seed });
  const hub = new LossyTransportHub({ env, datagramBytesMax });
  const places = { here: hub.connect('here'), there: hub.connect('there') };
  const pairOf = (attempt: bigint, stream: number): readonly [End, End] => [
    new End(
      env,
      places.here,
      { attempt, ownAddress: 'a', peerAddress: 'b' },
      [stream, stream + 1],
      broken,
    ),
    new End(
      env,
      places.there,
      { attempt, ownAddress: 'b', peerAddress: 'a' },
      [stream + 1, stream],
      broken,
    ),
  ];
  const pairs = [pairOf(5n, 1), pairOf(6n, 3)];
  const ends = pairs.flat();
  const advance = (durationMs: number, stepMs: number): void => {
    for (let ms = 0; ms < durationMs; ms += stepMs) {
      env.advance(Math.min(stepMs, durationMs - ms));
      for (const end of ends) end.inspect();
      if (ends.some(({ violations }) => violations.length > 0)) return;
    }
  };

  for (const { durationMs, path, isPartitioned, disconnected, frames } of episodes) {
    hub.change(path);
    if (isPartitioned) hub.partition('here', 'there');
    else hub.heal('here', 'there');
    for (const place of [places.here, places.there]) {
      if (disconnected === place.place || disconnected === 'both') place.disconnect();
      else place.reconnect();
    }
    for (const [here, there] of pairs) {
      here.want(frames[0]);
      there.want(frames[1]);
    }
    advance(durationMs, 10);
  }
  hub.change({ dropShare: 0, duplicateShare: 0, flipShare: 0, delayMs: [1, 1], order: 'kept' });
  hub.heal('here', 'there');
  places.here.reconnect();
  places.there.reconnect();
  advance(20_000, 500);
  return pairs.flatMap(([here, there]) => [...atTheEnd(here, there), ...atTheEnd(there, here)]);
}

function atTheEnd(end: End, peer: End): readonly string[] {
  const found = [...end.violations];
  const { bufferedBytes, bufferedDatagrams, hasRoom } = end.link;
  if (end.received !== peer.wantedFrames) {
    found.push(`${end.received} of ${peer.wantedFrames} frames arrived`);
  }
  if (bufferedBytes + bufferedDatagrams > 0 || !hasRoom) found.push('memory is not freed');
  return found;
}

const whole: Break = (parts) => parts;

describe('whatever the transport does within its law, and some bits more', () => {
  test('each frame arrives once and in order, within bounds, and nothing stays', () => {
    fc.assert(
      fc.property(scenario, (drawn) => {
        expect(run(drawn, whole)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('the same seed gives the same run', () => {
    const [drawn] = fc.sample(scenario, { numRuns: 1, seed: 3 });
    const trace = (): string => {
      const counts: string[] = [];
      run(drawn!, (parts) => {
        counts.push(JSON.stringify(parts.counts));
        return parts;
      });
      return counts.join();
    };
    expect(trace()).toBe(trace());
  });
});

/** What a subclass would do wrong; the test above has to notice each. */
const mutants: Readonly<Record<string, Break>> = {
  'acknowledges before receipt': (parts) => {
    class Hasty extends LinkReceiver {
      private announced = 0;
      override get received(): number {
        return Math.max(super.received, this.announced);
      }
      override data(header: DatagramHeader, payload: Uint8Array, nowMs: number) {
        this.announced = Math.max(this.announced, header.sequence);
        return super.data(header, payload, nowMs);
      }
    }
    return { ...parts, receiver: new Hasty(parts.limits, parts.counts) };
  },
  'delivers out of order after a gap': (parts) => {
    class Careless extends LinkReceiver {
      override data(header: DatagramHeader, payload: Uint8Array, nowMs: number) {
        const isAhead = header.sequence > this.received + 1 && header.restBytes === 0;
        const frame = super.data(header, payload, nowMs);
        return isAhead ? payload : frame;
      }
    }
    return { ...parts, receiver: new Careless(parts.limits, parts.counts) };
  },
  'delivers what arrives twice': (parts) => {
    class Forgetful extends LinkReceiver {
      override data(header: DatagramHeader, payload: Uint8Array, nowMs: number) {
        const isOld = header.sequence <= this.received && header.restBytes === 0;
        return super.data(header, payload, nowMs) ?? (isOld ? payload : undefined);
      }
    }
    return { ...parts, receiver: new Forgetful(parts.limits, parts.counts) };
  },
  'ignores the attempt': (parts) => {
    class Open extends DatagramCodec {
      protected override isOfAttempt(): boolean {
        return true;
      }
    }
    return { ...parts, codec: new Open(parts.identity, crc32) };
  },
  'ignores the checksum': (parts) => {
    class Trusting extends DatagramCodec {
      protected override isWhole(): boolean {
        return true;
      }
    }
    return { ...parts, codec: new Trusting(parts.identity, crc32) };
  },
  'never frees the buffer': (parts) => {
    class Hoarding extends RetransmitBuffer {
      override release(): void {}
    }
    const buffer = new Hoarding();
    return {
      ...parts,
      sender: new LinkSender(parts.limits, parts.counts, payloadBytesMax, buffer),
    };
  },
  'never goes back': (parts) => {
    class Stubborn extends LinkSender {
      override report(header: DatagramHeader, nowMs: number): void {
        super.report({ ...header, sequence: 0 }, nowMs);
      }
    }
    return { ...parts, sender: new Stubborn(parts.limits, parts.counts, payloadBytesMax) };
  },
  'never asks after a lost tail': (parts) => {
    class Silent extends LinkSender {
      override get probeDueMs(): number {
        return this.gate === 'open' ? Number.POSITIVE_INFINITY : super.probeDueMs;
      }
    }
    return { ...parts, sender: new Silent(parts.limits, parts.counts, payloadBytesMax) };
  },
  'ignores that there is no room': (parts) => {
    class Boundless extends LinkSender {
      override get isFull(): boolean {
        return false;
      }
    }
    return { ...parts, sender: new Boundless(parts.limits, parts.counts, payloadBytesMax) };
  },
};

describe('is noticed by it: a link that', () => {
  test.each(Object.keys(mutants))('%s', (name) => {
    const property = fc.property(scenario, (drawn) => run(drawn, mutants[name]!).length === 0);
    const { failed } = fc.check(property, { numRuns: 150, endOnFailure: true, seed: 1 });
    expect(failed).toBe(true);
  });
});
