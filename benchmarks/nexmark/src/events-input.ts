import { type GeneratorOptions, generate } from './generator/generator.js';
import { parseEvent, readEvents } from './input.js';
import type { Event } from './model.js';

/** Where events come from: a file, or a generator. */
export type EventsInput = { readonly path: string } | GeneratorOptions;

/** Generated events go through text: parsed objects are laid out differently from built ones. */
export async function eventsOf(input: EventsInput): Promise<Event[]> {
  if ('path' in input) return readEvents(input.path);
  return Array.from(generate(input), (event) => parseEvent(JSON.stringify(event)));
}
