import { crc32 } from 'node:zlib';
import type { MillraceError } from '@millrace/core';
import type { Transport, TransportListener } from '@millrace/core/spi';
import {
  defaultLinkLimits,
  type Lane,
  type LaneListener,
  Link,
  type Surroundings,
} from '@millrace/runtime/internal';
import { type LossyTransport, LossyTransportHub } from '../lossy-transport.js';
import type { SeededRandom } from './seeded-random.js';
import type { SimulatedWorld } from './simulated-world.js';
import type { WorldProcess } from './world-process.js';

type MakeLanes = NonNullable<Surroundings['lanes']>;

/** What a network may be like before any fault. */
const datagramBytesAmong = [1 << 12, 1 << 16];

/**
 * The network between the slots of a job: each attempt's lanes are links over one transport, which
 * outlives attempts and processes. A slot has the same address in all of them, so that what an
 * older attempt has sent still arrives, and has to be told apart by its identity.
 */
export class WorldLinks {
  readonly hub: LossyTransportHub;
  /** How long a link waits without progress, ms. */
  readonly stallMs: number;
  /** Called with what a link fails with. */
  onFailure: (error: MillraceError) => void = () => undefined;
  private readonly random: SeededRandom;
  private readonly places = new Map<string, LossyTransport>();

  constructor(world: SimulatedWorld) {
    this.random = world.random.fork('links');
    this.stallMs = this.random.spread(1_000, defaultLinkLimits.stallMs);
    const delayMs = this.random.spread(0.05, 20);
    this.hub = new LossyTransportHub({
      env: { random: this.random.fork('hub'), scheduler: world.env.scheduler },
      datagramBytesMax: this.random.pick(datagramBytesAmong),
      path: { delayMs: [delayMs / 2, delayMs] },
    });
  }

  /** For the jobs of a process. */
  lanesOf(process: WorldProcess): MakeLanes {
    return () => {
      const attempt = this.newAttempt();
      return {
        of: (slot) => (other, listener) => this.open({ process, slot, other }, attempt, listener),
      };
    };
  }

  /** The connections of a process: one for each of its slots that has a link. */
  placesOf(process: WorldProcess): readonly LossyTransport[] {
    const own = `${process.name} `;
    return [...this.places].filter(([name]) => name.startsWith(own)).map(([, place]) => place);
  }

  private open(
    { process, slot, other }: { process: WorldProcess; slot: number; other: number },
    attempt: bigint,
    listener: LaneListener,
  ): Lane {
    return new Link({
      attempt,
      ownAddress: addressOf(slot),
      peerAddress: addressOf(other),
      transport: new ProcessTransport(process, this.place(process, slot)),
      env: process.env,
      checksum: crc32,
      limits: { ...defaultLinkLimits, stallMs: this.stallMs },
      listener: {
        onFrame: (frame) => listener.onFrame(frame),
        onRoom: () => listener.onRoom(),
        onFailure: (error) => {
          this.onFailure(error);
          listener.onFailure(error);
        },
      },
    });
  }

  private place(process: WorldProcess, slot: number): LossyTransport {
    const name = `${process.name} ${addressOf(slot)}`;
    const place = this.places.get(name) ?? this.hub.connect(name);
    this.places.set(name, place);
    return place;
  }

  private newAttempt(): bigint {
    const half = (): bigint => BigInt(Math.floor(this.random.next() * 2 ** 32));
    return (half() << 32n) | half();
  }
}

const addressOf = (slot: number): string => `slot${slot}`;

/** A transport as a process sees it: nothing reaches one that is paused or killed. */
class ProcessTransport implements Transport {
  readonly datagramBytesMax: number;
  private readonly process: WorldProcess;
  private readonly transport: Transport;

  constructor(process: WorldProcess, transport: Transport) {
    this.process = process;
    this.transport = transport;
    this.datagramBytesMax = transport.datagramBytesMax;
  }

  get isConnected(): boolean {
    return this.transport.isConnected;
  }

  send(address: string, datagram: Uint8Array): void {
    this.transport.send(address, datagram);
  }

  listen(address: string, receive: (datagram: Uint8Array) => void): TransportListener {
    return this.transport.listen(address, (datagram) => this.tell(() => receive(datagram)));
  }

  onConnection(changed: () => void): TransportListener {
    return this.transport.onConnection(() => this.tell(changed));
  }

  /** What comes while it is paused waits until it goes on. */
  private tell(act: () => void): void {
    if (this.process.life === 'running') act();
    else this.process.after('datagram', 0, act);
  }
}
