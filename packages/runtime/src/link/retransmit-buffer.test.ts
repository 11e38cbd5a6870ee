import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Piece, RetransmitBuffer } from './retransmit-buffer.js';

const pieceOf = (bytes: number): Piece => ({ frame: new Uint8Array(bytes), from: 0, to: bytes });

test('keeps what was pushed until it is released, as a map would', () => {
  const push = fc.record({ kind: fc.constant('push' as const), amount: fc.nat({ max: 50 }) });
  const release = fc.record({ kind: fc.constant('release' as const), amount: fc.nat({ max: 9 }) });
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 3, arbitrary: push }, release)), (steps) => {
      const buffer = new RetransmitBuffer();
      const model = new Map<number, Piece>();
      let released = 0;
      for (const { kind, amount } of steps) {
        if (kind === 'push') {
          const piece = pieceOf(amount);
          buffer.push(piece);
          model.set(buffer.last, piece);
        } else {
          released = Math.min(buffer.last, released + amount);
          buffer.release(released);
          for (const sequence of model.keys()) if (sequence <= released) model.delete(sequence);
        }
        expect(buffer.count).toBe(model.size);
        expect(buffer.bytes).toBe([...model.values()].reduce((sum, { to }) => sum + to, 0));
        for (const [sequence, piece] of model) expect(buffer.at(sequence)).toBe(piece);
        expect(() => buffer.at(released)).toThrow(/ERR_INVARIANT/);
        expect(() => buffer.at(buffer.last + 1)).toThrow(/ERR_INVARIANT/);
      }
    }),
  );
});

test('releases twice, and nothing before the first, without harm', () => {
  const buffer = new RetransmitBuffer();
  buffer.release(0);
  buffer.push(pieceOf(3));
  buffer.release(1);
  buffer.release(1);
  expect([buffer.count, buffer.bytes, buffer.last]).toEqual([0, 0, 1]);
});
