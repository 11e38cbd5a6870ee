import type { Stage } from './stage.js';

/**
 * `fair`: every other step is that of a source, or of the ready stage furthest upstream. Where records
 * come from other slots, too, there is always something to do downstream, and the slot's own sources
 * would fall behind the others'.
 */
export type StepOrder = 'downstream' | 'fair';

/**
 * Which stage of a slot takes the next step: the one furthest downstream that is ready, so that what
 * is in memory leaves it before more comes in. Sources come last, and in turn: of two subtasks of one
 * source in a slot, the one that is always asked first would leave the other behind, and what waits
 * for both would keep all that lies between them in event time.
 */
export class StageOrder {
  private readonly stages: readonly Stage[];
  /** Places of the stages that read a source, and of the others from the last one on. */
  private readonly sources: readonly number[];
  private readonly others: readonly number[];
  private readonly order: StepOrder;
  private takesUpstream = false;
  /** The source that is asked first, as an index into `sources`. */
  private turn = 0;

  constructor(stages: readonly Stage[], order: StepOrder) {
    const places = stages.map((_, at) => at);
    this.stages = stages;
    this.sources = places.filter((at) => stages[at]!.readsSource);
    this.others = places.filter((at) => !stages[at]!.readsSource).reverse();
    this.order = order;
  }

  /** The place of the stage that is to take a step; −1 where none is ready. */
  next(): number {
    if (this.order === 'fair') {
      this.takesUpstream = !this.takesUpstream;
      if (this.takesUpstream) {
        const source = this.nextSource();
        return source >= 0 ? source : this.stages.findIndex((stage) => stage.isReady());
      }
    }
    const { others, stages } = this;
    for (let i = 0; i < others.length; i += 1) {
      const at = others[i]!;
      if (stages[at]!.isReady()) return at;
    }
    return this.nextSource();
  }

  private nextSource(): number {
    const { sources, stages } = this;
    for (let i = 0; i < sources.length; i += 1) {
      const turn = (this.turn + i) % sources.length;
      const at = sources[turn]!;
      if (!stages[at]!.isReady()) continue;
      this.turn = turn + 1;
      return at;
    }
    return -1;
  }
}
