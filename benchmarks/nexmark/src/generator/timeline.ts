import { Random } from './random.js';

/** Epoch milliseconds of the first event unless told otherwise: 2015-07-15 00:00 UTC. */
const defaultStartTime = 1_436_918_400_000;

/**
 * When each event happens. Events are evenly spaced; with disorder, the instants of each group of
 * `disorderMs` are dealt to its events in random order, so that an event is less than
 * `disorderMs` behind the latest one before it.
 */
export class Timeline {
  readonly #random: Random;
  readonly #rate: number;
  readonly #startTime: number;
  /** Place in the group of each event of the group that `#group` names. */
  readonly #places: Uint32Array;
  #group = -1;

  /** `rate` is in events per second of event time. */
  constructor(seed: number, rate: number, disorderMs: number, startTime = defaultStartTime) {
    this.#random = new Random(seed, 1);
    this.#rate = rate;
    this.#startTime = startTime;
    this.#places = new Uint32Array(Math.max(1, Math.floor((rate * disorderMs) / 1000)));
  }

  /** Event time of event `n` in epoch milliseconds. Ask in ascending order of `n`. */
  timeOf(n: number): number {
    const size = this.#places.length;
    if (size === 1) return this.timeOfInstant(n);
    const group = Math.floor(n / size);
    if (group !== this.#group) this.#shuffle(group);
    return this.timeOfInstant(group * size + this.#places[n % size]!);
  }

  /** The `n`-th instant, whichever event happens then. */
  timeOfInstant(n: number): number {
    return this.#startTime + Math.floor((n * 1000) / this.#rate);
  }

  #shuffle(group: number): void {
    const places = this.#places;
    for (let i = 0; i < places.length; i++) {
      const j = this.#random.nextInt(i + 1);
      places[i] = places[j]!;
      places[j] = i;
    }
    this.#group = group;
  }
}
