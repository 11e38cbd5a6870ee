import type { DiskStep } from '../simulated-disk.js';
import type { SeededRandom } from './seeded-random.js';
import type { SimulatedWorld } from './simulated-world.js';

/** Called ahead of each operation, and when it is done but not answered. */
export type WorldDiskListener = (step: DiskStep) => undefined | Promise<void>;

/**
 * How long operations of the simulated disk take: each is picked twice, once to happen and once to
 * be answered, so that a process may be killed in between.
 */
export class DiskLatency {
  /** Typical time of an operation, ms. */
  typicalMs = 0.2;
  /** Times as long as that, while the disk is slow. */
  slowness = 1;
  private readonly world: SimulatedWorld;
  private readonly random: SeededRandom;
  private readonly listeners = new Set<WorldDiskListener>();

  constructor(world: SimulatedWorld, random: SeededRandom) {
    this.world = world;
    this.random = random;
  }

  /** @returns a function that takes it away */
  onStep(listener: WorldDiskListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** For the disk. Processes that the world does not know are observers: time stands still. */
  async step(step: DiskStep): Promise<void> {
    const process = this.world.process(step.process);
    if (process === undefined) return;
    for (const listener of this.listeners) await listener(step);
    const isBefore = step.when === 'before';
    const delayMs = isBefore ? this.delayMs() : 0;
    const answer = isBefore ? '' : ' answered';
    await process.wait(`${step.operation} ${step.path}${answer}`, delayMs);
  }

  private delayMs(): number {
    return this.random.spread(0.2, 5) * this.typicalMs * this.slowness;
  }
}
