import { MillraceError } from '@millrace/core';
import {
  type ControlElement,
  closeElement,
  endOfInput,
  idleElement,
  watermarkOf,
} from '@millrace/core/spi';
import { describe, expect, test } from 'vitest';
import { controlFrame, elementOf, readHead } from './frame.js';

const elements: readonly ControlElement[] = [
  watermarkOf(-Infinity),
  watermarkOf(1_577_836_800_000),
  watermarkOf(Infinity),
  idleElement,
  endOfInput,
  closeElement,
  { kind: 'barrier', checkpoint: 0, mode: 'aligned' },
  { kind: 'barrier', checkpoint: 7, mode: 'unaligned' },
  { kind: 'barrier', checkpoint: 2 ** 40, mode: 'aligned' },
];

describe('a frame of a control element', () => {
  test.each(elements)('says what it was made of: %j', (element) => {
    const head = readHead(controlFrame(70_000, element));
    expect(head.channel).toBe(70_000);
    expect(elementOf(head)).toEqual(element);
  });

  test('of a barrier says in its second byte whether it overtakes', () => {
    const bytes = (mode: 'aligned' | 'unaligned'): string =>
      Buffer.from(controlFrame(3, { kind: 'barrier', checkpoint: 5, mode })).toString('hex');
    expect(bytes('aligned')).toBe('04000000000000034014000000000000');
    expect(bytes('unaligned')).toBe('04010000000000034014000000000000');
  });

  test('that is cut off is none', () => {
    const frame = controlFrame(1, endOfInput).subarray(0, 15);
    expect(() => readHead(frame)).toThrow(MillraceError);
  });
});
