import type { Cancellable, Env } from '@millrace/core/spi';
import type { Pulse } from '../engine/pulse.js';
import { runtimeLimits } from '../limits.js';

export interface BlockWatchParts {
  readonly slot: number;
  readonly env: Env;
  readonly pulse: Pulse;
  readonly stageName: (stage: number) => string;
}

/** Says which operator keeps a slot from everything else, when one does. */
export class BlockWatch {
  private readonly parts: BlockWatchParts;
  private timer: Cancellable | undefined;
  private turns = 0;
  private sinceMs = 0;
  private saidMs = 0;

  constructor(parts: BlockWatchParts) {
    this.parts = parts;
  }

  start(): void {
    this.sinceMs = this.parts.env.clock.monotonicMs();
    this.plan();
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private plan(): void {
    this.timer = this.parts.env.scheduler.after(runtimeLimits.slotWatchMs, () => {
      this.look();
      this.plan();
    });
  }

  private look(): void {
    const { pulse, env, slot, stageName } = this.parts;
    const nowMs = env.clock.monotonicMs();
    const { stage, turns } = pulse;
    if (stage === undefined || turns !== this.turns) {
      this.turns = turns;
      this.sinceMs = nowMs;
      this.saidMs = 0;
      return;
    }
    const blockedMs = nowMs - this.sinceMs;
    // Said again each time it has taken twice as long.
    if (blockedMs < Math.max(runtimeLimits.slotBlockedMs, 2 * this.saidMs)) return;
    this.saidMs = blockedMs;
    const fields = { slot, operator: stageName(stage), blockedMs: Math.round(blockedMs) };
    env.log.log('warn', 'an operator keeps its slot from everything else', fields);
  }
}
