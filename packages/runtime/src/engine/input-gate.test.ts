import { type ControlElement, endOfInput, idleElement, watermarkOf } from '@millrace/core/spi';
import { describe, expect, test } from 'vitest';
import { plainShape } from '../plan/batch-shape.js';
import { Channel } from './channel.js';
import { InputGate } from './input-gate.js';

/** What a gate of two channels makes of control elements that they give one after another. */
function eventsOf(
  ...sent: readonly (readonly [channel: number, element: ControlElement])[]
): readonly string[] {
  const channels = [0, 1].map((from) => {
    const id = { edge: 'a→b', role: 'whole', input: 0, from, fromOf: 2, to: 0, toOf: 1 } as const;
    return new Channel(id, plainShape);
  });
  const gate = new InputGate(channels);
  return sent.map(([at, element]) => {
    const event = gate.onControl(channels[at]!, element);
    return event?.kind === 'watermark' ? `watermark ${event.time}` : (event?.kind ?? '');
  });
}

describe('a gate is idle as a whole', () => {
  test('once its inputs are idle or have ended, in whichever order', () => {
    const end = watermarkOf(Infinity);
    expect(eventsOf([1, end], [1, endOfInput], [0, idleElement])).toEqual(['', '', 'idle']);
    expect(eventsOf([0, idleElement], [1, end], [1, endOfInput])).toEqual(['', 'idle', '']);
  });

  test('not while one has more to say', () => {
    const events = eventsOf([0, idleElement], [1, watermarkOf(10)], [0, watermarkOf(20)]);
    expect(events).toEqual(['', 'watermark 10', '']);
  });

  test('until one of them says where it stands: that is waited for, however far behind it is', () => {
    const events = eventsOf(
      [0, watermarkOf(10)],
      [1, watermarkOf(20)],
      [0, idleElement],
      [1, idleElement],
      [0, watermarkOf(10)],
      [1, watermarkOf(30)],
    );
    expect(events).toEqual(['', 'watermark 10', 'watermark 20', 'idle', 'watermark 20', '']);
  });
});
