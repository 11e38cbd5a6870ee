import { describe, expect, test } from 'vitest';
import { goldenSets } from '../golden.js';
import { readEvents } from '../input.js';
import type { Event } from '../model.js';
import { type GeneratorOptions, generate } from './generator.js';

const options: GeneratorOptions = { seed: 42, events: 20_000, rate: 10_000, disorderMs: 0 };

function events(changes: Partial<GeneratorOptions> = {}): Event[] {
  return [...generate({ ...options, ...changes })];
}

/** Shares and means that tell whether two sets of events come from the same model. */
function profileOf(list: readonly Event[]): Record<string, number> {
  const sums = new Map<string, number>();
  const add = (name: string, n = 1): void => void sums.set(name, (sums.get(name) ?? 0) + n);
  let youngest = 0;
  for (const e of list) {
    add(`kind ${e.kind}`);
    if (e.kind === 'auction') {
      youngest = e.id;
      add('hot seller', e.seller % 100 === 0 ? 1 : 0);
      add('category 10', e.category === 10 ? 1 : 0);
    } else if (e.kind === 'bid') {
      add('hot auction', e.auction === youngest - (youngest % 100) ? 1 : 0);
      add('hot bidder', e.bidder % 100 === 1 ? 1 : 0);
      add('log price', Math.log10(e.price) / 5);
      add('cold channel', e.channel.startsWith('channel-') ? 1 : 0);
      add('letters c', e.extra.split('c').length - 1);
      add('spaces', e.extra.split(' ').length / 3);
    }
  }
  return Object.fromEntries([...sums].map(([name, sum]) => [name, sum / list.length]));
}

describe('generate', () => {
  test('gives the same events for the same seed, and others for another', () => {
    expect(events({ disorderMs: 50 })).toEqual(events({ disorderMs: 50 }));
    expect(events()[0]).not.toEqual(events({ seed: 43 })[0]);
  });

  test('is statistically like the golden events', async () => {
    const expected = profileOf(await readEvents(goldenSets[0]!.events));
    const actual = profileOf(events());
    expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, share] of Object.entries(expected)) {
      expect(Math.abs(actual[name]! - share), name).toBeLessThan(0.02);
    }
  });

  test('has the fields of the golden events, in order and of the same lengths', async () => {
    const golden = await readEvents(goldenSets[0]!.events);
    const shape = (list: readonly Event[], at: number): unknown =>
      Object.entries(list[at]!).map(([name, value]) =>
        name === 'extra' ? [name, String(value).length] : [name, typeof value],
      );
    const own = events();
    for (const at of [0, 1, 4, 50, 51, 54]) expect(shape(own, at)).toEqual(shape(golden, at));
  });

  test('spreads events evenly over event time', () => {
    const list = events();
    expect(list[1]!.dateTime).toBe(list[0]!.dateTime);
    expect(list.at(-1)!.dateTime - list[0]!.dateTime).toBe(1_999);
  });

  test('keeps lateness under the bound, and the instants as they are in order', () => {
    const shuffled = events({ disorderMs: 500 }).map((e) => e.dateTime);
    let latest = 0;
    let latenessMax = 0;
    for (const time of shuffled) {
      latest = Math.max(latest, time);
      latenessMax = Math.max(latenessMax, latest - time);
    }
    expect(latenessMax).toBeLessThan(500);
    expect(latenessMax).toBeGreaterThan(400);
    expect(shuffled.sort()).toEqual(events().map((e) => e.dateTime));
  });
});
