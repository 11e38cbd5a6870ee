import { MillraceError } from '@millrace/core';
import type { Logger } from '@millrace/core/spi';
import type { SnapshotStateBackend } from '@millrace/state';
import { runtimeLimits } from '../limits.js';

/** Watches the memory that state takes: says so in time, and fails ahead of the process. */
export class StateGuard {
  private readonly backend: SnapshotStateBackend;
  private readonly bytesMax: number;
  private readonly log: Logger;
  private hasWarned = false;

  constructor(backend: SnapshotStateBackend, bytesMax: number, log: Logger) {
    this.backend = backend;
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
    const sizes = this.backend
      .operators()
      .map((operator) => ({ operator, bytes: this.backend.bytesOf(operator) }));
    const bytes = sizes.reduce((sum, size) => sum + size.bytes, 0);
    const isHigh = bytes >= this.bytesMax * runtimeLimits.stateAlarmShare;
    if (!isHigh) this.hasWarned = false;
    if (!isHigh) return;
    const { operator, bytes: most } = sizes.reduce((a, b) => (b.bytes > a.bytes ? b : a));
    const detail = `${mebibytes(bytes)} of ${mebibytes(this.bytesMax)} in use, ${mebibytes(most)} by ${operator}`;
    if (bytes >= this.bytesMax) throw new MillraceError('ERR_STATE_LIMIT', detail, { operator });
    if (!this.hasWarned) this.log.log('warn', 'state is near its limit', { operator, detail });
    this.hasWarned = true;
  }
}

const mebibytes = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MiB`;
