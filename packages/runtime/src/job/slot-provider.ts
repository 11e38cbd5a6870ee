import type { SinkCheckpointsParts } from '../engine/sink-checkpoints.js';
import type { SlotControl, SlotListener, SlotMetrics } from './slot-control.js';

/** Makes the slots of a job's attempts, in this thread or in others. */
export interface SlotProvider {
  /** An attempt begins: its slots are created next. The last one's have been closed. */
  begin(attempt: number): void;
  create(
    slot: number,
    checkpoints: SinkCheckpointsParts | undefined,
    listener: SlotListener,
  ): SlotControl;
  /** Calls back once when nothing is ready in any slot any more, or the attempt has ended. */
  onIdle(listener: () => void): void;
  /** Of all slots. */
  metrics(): readonly SlotMetrics[];
}
