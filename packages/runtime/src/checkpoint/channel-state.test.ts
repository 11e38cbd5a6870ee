import { endOfInput, idleElement, RecordBatch, watermarkOf } from '@millrace/core/spi';
import { describe, expect, test } from 'vitest';
import { batchDecoder } from '../exchange/codec/batch-decoder.js';
import { batchEncoder } from '../exchange/codec/batch-encoder.js';
import type { ChannelId } from '../plan/channel-id.js';
import {
  batchesIn,
  type ChannelState,
  readChannelStates,
  writeChannelStates,
} from './channel-state.js';

const id = (own: Partial<ChannelId> = {}): ChannelId => ({
  edge: 'orders→spend',
  role: 'whole',
  input: 0,
  from: 0,
  fromOf: 1,
  to: 1,
  toOf: 2,
  ...own,
});

function batchOf(values: readonly unknown[]): Uint8Array {
  const batch = new RecordBatch();
  for (const [at, value] of values.entries()) batch.emit(value, 1_000 + at);
  return batchEncoder().encode(batch, 0);
}

const states = (): readonly ChannelState[] => [
  {
    channel: id(),
    watermark: 12_000,
    isIdle: false,
    combined: 11_000,
    elements: [batchOf([{ shop: 1 }, { shop: 2 }]), watermarkOf(13_000), batchOf([{ shop: 3 }])],
  },
  {
    channel: id({ role: 'sink', from: 3, fromOf: 4 }),
    watermark: -Infinity,
    isIdle: true,
    combined: -Infinity,
    elements: [],
  },
  {
    channel: id({ edge: 'b', role: 'final', input: 1 }),
    watermark: Infinity,
    isIdle: false,
    combined: 11_000,
    elements: [idleElement, watermarkOf(Infinity), endOfInput],
  },
];

/** Of a blob of version 1, which every later release reads. */
const golden = [
  '4d4c43480000000100000067a0ad2c0101fff0000000000000fff0000000000000017b2265646765223a226f',
  '7264657273e286927370656e64222c2266726f6d223a332c2266726f6d4f66223a342c22696e707574223a30',
  '2c22726f6c65223a2273696e6b222c22746f223a312c22746f4f66223a327d0000005bdfdec251017ff00000',
  '0000000040c57c0000000000007b2265646765223a2262222c2266726f6d223a302c2266726f6d4f66223a31',
  '2c22696e707574223a312c22726f6c65223a2266696e616c222c22746f223a312c22746f4f66223a327d0000',
  '0011b3bd1ecb0303000000000000000000000000000000000000110cdb36bf0302000000000000007ff00000',
  '0000000000000011e02c772f03050000000000000000000000000000000000000901e93f9204401400000000',
  '0000',
].join('');

describe('the state of channels', () => {
  test('is read as it was written', () => {
    const read = readChannelStates(writeChannelStates(states()));
    expect(read).toEqual(states());
    expect(batchesIn(read)).toBe(2);
    const batch = new RecordBatch();
    batchDecoder().decode(read[0]!.elements[2] as Uint8Array, 0, batch);
    expect([batch.count, batch.values[0], batch.timestamps[0]]).toEqual([1, { shop: 3 }, 1_000]);
  });

  test('of no channel is a blob, too', () => {
    expect(readChannelStates(writeChannelStates([]))).toEqual([]);
  });

  test('has the bytes that it has always had', () => {
    const [, second, third] = states();
    const bytes = writeChannelStates([second!, third!]);
    expect(Buffer.from(bytes).toString('hex')).toBe(golden);
  });

  test('with any bit changed is found out', () => {
    const bytes = writeChannelStates(states());
    for (let at = 0; at < bytes.length; at += 1) {
      for (const bit of [1, 16, 128]) {
        const damaged = bytes.slice();
        damaged[at]! ^= bit;
        expect(() => readChannelStates(damaged), `byte ${at}`).toThrow(
          expect.objectContaining({ code: 'ERR_CHECKPOINT_CORRUPT' }),
        );
      }
    }
  });

  test('cut off anywhere, or with more behind it, is found out', () => {
    const bytes = writeChannelStates(states());
    const corrupt = expect.objectContaining({ code: 'ERR_CHECKPOINT_CORRUPT' });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => readChannelStates(bytes.slice(0, length))).toThrow(corrupt);
    }
    expect(() => readChannelStates(new Uint8Array([...bytes, 0]))).toThrow(corrupt);
  });
});
