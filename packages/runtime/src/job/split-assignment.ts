import { toMillraceError } from '@millrace/core/internal';
import type { Cancellable, Env, Split, SplitEnumerator } from '@millrace/core/spi';
import { jsonCopy } from '../checkpoint/json-copy.js';
import { runtimeLimits } from '../limits.js';

export interface SplitAssignmentParts {
  readonly source: string;
  readonly enumerator: SplitEnumerator;
  readonly parallelism: number;
  readonly env: Env;
  /** What the enumerator had in the checkpoint that the job goes on from. */
  readonly restored: unknown;
  /** Splits that subtasks have from there. */
  readonly assigned: number;
  readonly assign: (subtask: number, splits: readonly Split[], end: boolean) => void;
  /** Called when looking for splits has failed, later than the first time. */
  readonly fail: (error: unknown) => void;
}

/** Finds a source's splits and gives them to its subtasks in turn. */
export class SplitAssignment {
  private readonly parts: SplitAssignmentParts;
  private assigned: number;
  private enumerated: unknown;
  private timer: Cancellable | undefined;
  private isClosed = false;

  constructor(parts: SplitAssignmentParts) {
    this.parts = parts;
    this.assigned = parts.assigned;
    this.enumerated = parts.restored;
  }

  /** The enumerator's state that goes with the splits assigned so far. */
  get state(): unknown {
    return this.enumerated;
  }

  /** Assigns what is there now, and goes on looking until there will be no more. */
  async discover(): Promise<void> {
    const { enumerator, parallelism, assign, env, fail, source } = this.parts;
    const found = await this.guard(() => enumerator.discover());
    if (this.isClosed) return;
    const shares = Array.from({ length: parallelism }, (): Split[] => []);
    for (const split of found.splits) {
      shares[this.assigned % parallelism]!.push(split);
      this.assigned += 1;
    }
    for (const [subtask, splits] of shares.entries()) assign(subtask, splits, found.end);
    this.enumerated = jsonCopy(enumerator.snapshot());
    if (found.end) return;
    this.timer = env.scheduler.after(runtimeLimits.splitDiscoveryMs, () => {
      this.discover().catch((error: unknown) => {
        if (!this.isClosed) fail(toMillraceError(error, 'ERR_SOURCE_FAILED', { operator: source }));
      });
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.timer?.cancel();
    await this.guard(async () => this.parts.enumerator.close?.());
  }

  private async guard<R>(action: () => Promise<R>): Promise<R> {
    try {
      return await action();
    } catch (error) {
      throw toMillraceError(error, 'ERR_SOURCE_FAILED', { operator: this.parts.source });
    }
  }
}
