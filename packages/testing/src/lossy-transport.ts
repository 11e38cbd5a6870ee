import { MillraceError } from '@millrace/core';
import type { Env, Transport, TransportListener } from '@millrace/core/spi';

/** What becomes of datagrams from one place to another. Shares are from 0 to 1. */
export interface LossyPath {
  readonly dropShare: number;
  readonly duplicateShare: number;
  /** Datagrams of which up to three bits are flipped; the law of transports does not allow it. */
  readonly flipShare: number;
  /** Shortest and longest delay, ms. */
  readonly delayMs: readonly [number, number];
  /** `any`: datagrams overtake one another as their delays have it. */
  readonly order: 'kept' | 'any';
}

export interface LossyTransportOptions {
  readonly env: Pick<Env, 'random' | 'scheduler'>;
  /** Largest datagram, bytes. Default 1 MiB. */
  readonly datagramBytesMax?: number | undefined;
  /** Of all paths that have no settings of their own. Default: perfect, 1 ms. */
  readonly path?: Partial<LossyPath> | undefined;
}

const perfectPath: LossyPath = {
  dropShare: 0,
  duplicateShare: 0,
  flipShare: 0,
  delayMs: [1, 1],
  order: 'kept',
};

/** The connection of one place, as a fleet's worker has one. */
export interface LossyTransport extends Transport {
  /** Its name at the hub. */
  readonly place: string;
  /** What it sends, and what is sent to it, is lost until {@link reconnect}. */
  disconnect(): void;
  reconnect(): void;
}

/** What happened to datagrams, copies included. */
export interface LossyTransportCounts {
  sent: number;
  delivered: number;
  lost: number;
  duplicated: number;
  flipped: number;
}

/**
 * Connects places by transports that lose, repeat, delay and damage datagrams, as told at any time.
 * Who sends is known by place, who receives by address; places that talk have to be told apart.
 *
 * Deterministic: chance comes from `env.random`, time from `env.scheduler`, nothing else. Its own
 * copy is delivered to each receiver, and what was sent may be overwritten once it was sent.
 *
 * @example
 * const env = virtualEnv({ seed: 7 });
 * const hub = new LossyTransportHub({ env, path: { dropShare: 0.1 } });
 * const a = hub.connect('a');
 * hub.connect('b').listen('b', (datagram) => { … });
 * a.send('b', new Uint8Array([1]));
 * env.advance(1);
 */
export class LossyTransportHub {
  readonly datagramBytesMax: number;
  readonly counts: LossyTransportCounts = {
    sent: 0,
    delivered: 0,
    lost: 0,
    duplicated: 0,
    flipped: 0,
  };
  private readonly env: LossyTransportOptions['env'];
  private readonly places = new Map<string, Place>();
  private readonly partitions = new Set<string>();
  private readonly ownPaths = new Map<string, Partial<LossyPath>>();
  /** Datagrams on paths that keep their order; each timer delivers the first one. */
  private readonly queues = new Map<string, Flight[]>();
  private path: LossyPath;

  constructor({ env, datagramBytesMax = 1 << 20, path = {} }: LossyTransportOptions) {
    this.env = env;
    this.datagramBytesMax = datagramBytesMax;
    this.path = { ...perfectPath, ...path };
  }

  /** A transport for a place that has none yet. */
  connect(place: string): LossyTransport {
    if (this.places.has(place)) {
      throw new MillraceError('ERR_TEST_KIT', `the place ${place} has a transport`);
    }
    const transport = new Place(place, this.datagramBytesMax, (address, datagram) => {
      this.send(place, address, datagram);
    });
    this.places.set(place, transport);
    return transport;
  }

  /** From now on, for all paths; what `changeBetween` has set comes before it. */
  change(path: Partial<LossyPath>): void {
    this.path = { ...this.path, ...path };
  }

  /** From now on, in both directions; replaces what was set before. */
  changeBetween(one: string, other: string, path: Partial<LossyPath>): void {
    this.ownPaths.set(pathName(one, other), path);
    this.ownPaths.set(pathName(other, one), path);
  }

  /** Nothing gets from one to the other, also not what is on its way. */
  partition(one: string, other: string): void {
    this.partitions.add(pathName(one, other));
    this.partitions.add(pathName(other, one));
  }

  heal(one: string, other: string): void {
    this.partitions.delete(pathName(one, other));
    this.partitions.delete(pathName(other, one));
  }

  private send(from: string, address: string, datagram: Uint8Array): void {
    const { random } = this.env;
    this.counts.sent += 1;
    const receivers = [...this.places.values()].filter((place) => place.hasListener(address));
    if (receivers.length === 0) this.counts.lost += 1;
    for (const { place } of receivers) {
      const name = pathName(from, place);
      const path = { ...this.path, ...this.ownPaths.get(name) };
      if (this.partitions.has(name) || random.next() < path.dropShare) {
        this.counts.lost += 1;
        continue;
      }
      this.launch(path, { from, to: place, address, bytes: this.copy(datagram, path) });
      if (random.next() < path.duplicateShare) {
        this.counts.duplicated += 1;
        this.launch(path, { from, to: place, address, bytes: this.copy(datagram, path) });
      }
    }
    // Whoever keeps what it has sent is found out.
    datagram.fill(0xdd);
  }

  private copy(datagram: Uint8Array, { flipShare }: LossyPath): Uint8Array {
    const bytes = datagram.slice();
    const { random } = this.env;
    if (bytes.length === 0 || random.next() >= flipShare) return bytes;
    this.counts.flipped += 1;
    // Different bits, so that none is flipped back.
    const bits = new Set<number>();
    const wanted = 1 + Math.floor(random.next() * 3);
    while (bits.size < wanted) bits.add(Math.floor(random.next() * bytes.length * 8));
    for (const bit of bits) bytes[bit >> 3]! ^= 1 << (bit & 7);
    return bytes;
  }

  private launch({ delayMs: [least, most], order }: LossyPath, flight: Flight): void {
    const delayMs = least + this.env.random.next() * (most - least);
    if (order === 'any') {
      this.env.scheduler.after(delayMs, () => this.land(flight));
      return;
    }
    const name = pathName(flight.from, flight.to);
    const queue = this.queues.get(name) ?? [];
    this.queues.set(name, queue);
    queue.push(flight);
    this.env.scheduler.after(delayMs, () => this.land(queue.shift()!));
  }

  private land({ from, to, address, bytes }: Flight): void {
    const receives = this.places.get(to)!.receive(address, bytes);
    if (this.partitions.has(pathName(from, to)) || receives === undefined) {
      this.counts.lost += 1;
      return;
    }
    this.counts.delivered += 1;
    receives();
  }
}

interface Flight {
  readonly from: string;
  readonly to: string;
  readonly address: string;
  readonly bytes: Uint8Array;
}

const pathName = (from: string, to: string): string => `${from}\n${to}`;

type Receive = (datagram: Uint8Array) => void;

class Place implements LossyTransport {
  readonly place: string;
  readonly datagramBytesMax: number;
  private readonly sendAway: (address: string, datagram: Uint8Array) => void;
  private readonly receivers = new Map<string, Set<Receive>>();
  private readonly watchers = new Set<() => void>();
  private isUp = true;

  constructor(place: string, datagramBytesMax: number, sendAway: Place['sendAway']) {
    this.place = place;
    this.datagramBytesMax = datagramBytesMax;
    this.sendAway = sendAway;
  }

  get isConnected(): boolean {
    return this.isUp;
  }

  send(address: string, datagram: Uint8Array): void {
    if (datagram.length > this.datagramBytesMax) {
      throw new MillraceError('ERR_INVARIANT', `a datagram has ${datagram.length} bytes`);
    }
    if (this.isUp) this.sendAway(address, datagram);
  }

  listen(address: string, receive: Receive): TransportListener {
    const receivers = this.receivers.get(address) ?? new Set();
    this.receivers.set(address, receivers);
    return added(receivers, (datagram: Uint8Array) => receive(datagram));
  }

  onConnection(changed: () => void): TransportListener {
    return added(this.watchers, () => changed());
  }

  disconnect(): void {
    this.setConnected(false);
  }

  reconnect(): void {
    this.setConnected(true);
  }

  hasListener(address: string): boolean {
    return (this.receivers.get(address)?.size ?? 0) > 0;
  }

  /** Undefined if nobody would receive it. */
  receive(address: string, bytes: Uint8Array): (() => void) | undefined {
    if (!this.isUp || !this.hasListener(address)) return undefined;
    return () => {
      for (const receive of [...this.receivers.get(address)!]) receive(bytes.slice());
    };
  }

  private setConnected(isUp: boolean): void {
    if (this.isUp === isUp) return;
    this.isUp = isUp;
    for (const changed of [...this.watchers]) changed();
  }
}

/** The member is a function of its own, so that the same one may be added twice. */
function added<T>(members: Set<T>, member: T): TransportListener {
  members.add(member);
  return { close: () => members.delete(member) };
}
