import type { Lane, LaneListener } from '@millrace/runtime/internal';
import { creditOf, FrameKind, readHead, type Surroundings } from '@millrace/runtime/internal';
import { SimulationViolation } from './violation.js';

type MakeLanes = NonNullable<Surroundings['lanes']>;

/**
 * Looks at the frames between slots: nobody is given credit for more than was sent.
 *
 * @param onViolation called with what is found; does not throw
 */
export function watchLanes(lanes: MakeLanes, onViolation: (error: unknown) => void): MakeLanes {
  return (attempt) => {
    const inner = lanes(attempt);
    return {
      of: (slot) => (other, listener) => {
        const watch = new LaneWatch(`slot ${slot} to slot ${other}`, onViolation);
        const lane = inner.of(slot)(other, watch.listener(listener));
        return watch.lane(lane);
      },
    };
  };
}

/** One end of a lane: what it has sent on each channel, and what it was told of. */
class LaneWatch {
  private readonly name: string;
  private readonly onViolation: (error: unknown) => void;
  private readonly sentBytes = new Map<number, number>();

  constructor(name: string, onViolation: (error: unknown) => void) {
    this.name = name;
    this.onViolation = onViolation;
  }

  lane(lane: Lane): Lane {
    return {
      get hasRoom() {
        return lane.hasRoom;
      },
      send: (frame) => {
        const { kind, channel } = readHead(frame);
        if (kind === FrameKind.batch) {
          this.sentBytes.set(channel, this.sentOn(channel) + creditOf(frame));
        }
        lane.send(frame);
      },
      close: () => lane.close(),
    };
  }

  listener(listener: LaneListener): LaneListener {
    return {
      onFrame: (frame) => {
        this.look(frame);
        listener.onFrame(frame);
      },
      onRoom: () => listener.onRoom(),
      onFailure: (error) => listener.onFailure(error),
    };
  }

  private look(frame: Uint8Array): void {
    const { kind, channel, value } = readHead(frame);
    const sent = this.sentOn(channel);
    if (kind !== FrameKind.credit || value <= sent) return;
    const detail = `${this.name}: channel ${channel} has sent ${sent} bytes, and ${value} were taken`;
    this.onViolation(new SimulationViolation('credit', detail));
  }

  private sentOn(channel: number): number {
    return this.sentBytes.get(channel) ?? 0;
  }
}
