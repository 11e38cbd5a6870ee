import type { Env } from '@millrace/core/spi';
import type { Lane, LaneListener } from './lane.js';
import type { OpenLane } from './slot-exchange.js';

/** One direction between two slots. */
interface Way {
  readonly frames: Uint8Array[];
  receiver: LaneListener | undefined;
  isDelivering: boolean;
}

/** Lanes between the slots of an attempt that are all in this thread. */
export class LocalLanes {
  private readonly env: Pick<Env, 'scheduler'>;
  private readonly ways = new Map<string, Way>();
  private isClosed = false;

  constructor(env: Pick<Env, 'scheduler'>) {
    this.env = env;
  }

  /** How a slot opens its lanes. */
  of(slot: number): OpenLane {
    return (other, listener): Lane => {
      this.way(other, slot).receiver = listener;
      const way = this.way(slot, other);
      return {
        hasRoom: true,
        send: (frame) => this.send(way, frame),
        close: () => {
          this.isClosed = true;
        },
      };
    };
  }

  private way(from: number, to: number): Way {
    const name = `${from} ${to}`;
    let way = this.ways.get(name);
    if (way === undefined) {
      way = { frames: [], receiver: undefined, isDelivering: false };
      this.ways.set(name, way);
    }
    return way;
  }

  private send(way: Way, frame: Uint8Array): void {
    way.frames.push(frame);
    if (way.isDelivering) return;
    way.isDelivering = true;
    this.env.scheduler.yield().then(() => this.deliver(way));
  }

  private deliver(way: Way): void {
    way.isDelivering = false;
    for (const frame of way.frames.splice(0)) {
      if (!this.isClosed) way.receiver?.onFrame(frame);
    }
  }
}
