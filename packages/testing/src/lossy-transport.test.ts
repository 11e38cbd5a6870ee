import { describe, expect, test } from 'vitest';
import { type LossyPath, type LossyTransport, LossyTransportHub } from './lossy-transport.js';
import { virtualEnv } from './virtual-env.js';

class Rig {
  readonly env: ReturnType<typeof virtualEnv>;
  readonly hub: LossyTransportHub;
  readonly a: LossyTransport;
  readonly b: LossyTransport;
  /** Numbers that arrived at `b`, with the time each took. */
  readonly arrived: number[] = [];

  constructor(path: Partial<LossyPath> = {}, seed = 1) {
    this.env = virtualEnv({ seed });
    this.hub = new LossyTransportHub({ env: this.env, datagramBytesMax: 100, path });
    this.a = this.hub.connect('a');
    this.b = this.hub.connect('b');
    this.b.listen('to b', ([number]) => this.arrived.push(number!));
  }

  send(...numbers: readonly number[]): this {
    for (const number of numbers) this.a.send('to b', new Uint8Array([number]));
    return this;
  }

  after(ms: number): readonly number[] {
    this.env.advance(ms);
    return this.arrived;
  }
}

const hundred = Array.from({ length: 100 }, (_, index) => index);

describe('a lossy transport', () => {
  test('delivers all by default, after 1 ms and never from within send', () => {
    const rig = new Rig().send(1, 2);
    expect(rig.after(0.9)).toEqual([]);
    expect(rig.after(0.1)).toEqual([1, 2]);
  });
  test('loses its share', () => {
    const { length } = new Rig({ dropShare: 0.5 }).send(...hundred).after(1);
    expect(length).toBeGreaterThan(30);
    expect(length).toBeLessThan(70);
  });
  test('repeats its share', () => {
    expect(new Rig({ duplicateShare: 1 }).send(1, 2).after(1)).toEqual([1, 1, 2, 2]);
  });
  test('keeps the order or does not', () => {
    const delayMs = [0, 50] as const;
    expect(new Rig({ delayMs }).send(...hundred).after(50)).toEqual(hundred);
    const mixed = new Rig({ delayMs, order: 'any' }).send(...hundred).after(50);
    expect(mixed).not.toEqual(hundred);
    expect(mixed.toSorted((x, y) => x - y)).toEqual(hundred);
  });
  test('flips bits', () => {
    const arrived = new Rig({ flipShare: 1 }).send(...hundred).after(1);
    expect(arrived).toHaveLength(100);
    expect(arrived.every((number, index) => number !== index)).toBe(true);
  });
  test('overwrites what was sent, and gives each receiver bytes of its own', () => {
    const rig = new Rig();
    const received: Uint8Array[] = [];
    for (let time = 0; time < 2; time++) rig.b.listen('to b', (bytes) => received.push(bytes));
    const datagram = new Uint8Array([7]);
    rig.a.send('to b', datagram);
    expect(datagram).not.toEqual(new Uint8Array([7]));
    rig.after(1);
    expect(received).toEqual([new Uint8Array([7]), new Uint8Array([7])]);
    expect(received[0]).not.toBe(received[1]);
  });
  test('does the same again for one seed', () => {
    const path = { dropShare: 0.3, duplicateShare: 0.3, delayMs: [0, 9] as const };
    const runOf = (seed: number): readonly number[] =>
      new Rig({ ...path, flipShare: 0.2, order: 'any' }, seed).send(...hundred).after(9);
    expect(runOf(5)).toEqual(runOf(5));
    expect(runOf(5)).not.toEqual(runOf(6));
  });
  test('has settings for two places alone', () => {
    const rig = new Rig({ dropShare: 1 });
    rig.hub.changeBetween('b', 'a', { dropShare: 0 });
    expect(rig.send(1).after(1)).toEqual([1]);
    rig.hub.changeBetween('b', 'a', { dropShare: 1 });
    expect(rig.send(2).after(1)).toEqual([1]);
  });
  test('refuses datagrams that are too large, and two transports for a place', () => {
    const { a, hub } = new Rig();
    expect(() => a.send('to b', new Uint8Array(101))).toThrow(/ERR_INVARIANT/);
    expect(() => hub.connect('a')).toThrow(/ERR_TEST_KIT/);
  });
});

describe('a partition', () => {
  test('loses also what is on its way, until it heals', () => {
    const rig = new Rig().send(1);
    rig.hub.partition('b', 'a');
    expect(rig.send(2).after(5)).toEqual([]);
    rig.hub.heal('a', 'b');
    expect(rig.send(3).after(5)).toEqual([3]);
    expect(rig.hub.counts).toMatchObject({ sent: 3, delivered: 1, lost: 2 });
  });
});

describe('a place without connection', () => {
  test('neither sends nor receives', () => {
    const rig = new Rig();
    rig.a.disconnect();
    rig.send(1);
    rig.a.reconnect();
    rig.b.disconnect();
    rig.send(2).after(5);
    rig.b.reconnect();
    expect(rig.send(3).after(5)).toEqual([3]);
  });
  test('is told about it', () => {
    const { a } = new Rig();
    const told: boolean[] = [];
    const watcher = a.onConnection(() => told.push(a.isConnected));
    a.disconnect();
    a.disconnect();
    a.reconnect();
    watcher.close();
    a.disconnect();
    expect(told).toEqual([false, true]);
  });
  test('hears nothing where it has stopped listening', () => {
    const { a, b, env } = new Rig();
    const heard: number[] = [];
    const listener = b.listen('also b', ([number]) => heard.push(number!));
    a.send('also b', new Uint8Array([1]));
    env.advance(1);
    listener.close();
    a.send('also b', new Uint8Array([2]));
    env.advance(1);
    expect(heard).toEqual([1]);
  });
});
