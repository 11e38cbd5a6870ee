import { MillraceError } from '@millrace/core';
import type { Logger } from '@millrace/core/spi';
import type { SnapshotStateBackend } from '@millrace/state';
import { runtimeLimits } from '../limits.js';

type StateSizes = Pick<SnapshotStateBackend, 'operators' | 'bytesOf'>;

/**
 * Watches the memory that the state of a slot's tasks takes: says so in time, and fails ahead of the
 * process.
 */
export class StateGuard {
  private readonly backends: readonly StateSizes[];
  private readonly bytesMax: number;
  private readonly log: Logger;
  private hasWarned = false;

  constructor(backends: readonly StateSizes[], bytesMax: number, log: Logger) {
    this.backends = backends;
    this.bytesMax = bytesMax;
    this.log = log;
  }

  /**
   * Called once in a while.
   *
   * @throws MillraceError `ERR_STATE_LIMIT` naming the operator with the most state
   */
  check(): void {
    if (this.bytesMax === Infinity) return;
    const sizes = this.backends.flatMap((backend) =>
      backend.operators().map((operator) => ({ operator, bytes: backend.bytesOf(operator) })),
    );
    const bytes = sizes.reduce((sum, size) => sum + size.bytes, 0);
    if (bytes < this.bytesMax * runtimeLimits.stateAlarmShare) {
      this.hasWarned = false;
      return;
    }
    const { operator, bytes: most } = sizes.reduce((a, b) => (b.bytes > a.bytes ? b : a));
    const detail = `${mebibytes(bytes)} of ${mebibytes(this.bytesMax)} in use, ${mebibytes(most)} by ${operator}`;
    // Also where one look finds it beyond the limit: whoever reads the log sees what was coming.
    if (!this.hasWarned) this.log.log('warn', 'state is near its limit', { operator, detail });
    this.hasWarned = true;
    if (bytes >= this.bytesMax) throw new MillraceError('ERR_STATE_LIMIT', detail, { operator });
  }
}

const mebibytes = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MiB`;
