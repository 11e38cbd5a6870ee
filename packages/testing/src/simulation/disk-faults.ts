import { type ErrorCode, MillraceError } from '@millrace/core';
import type { DiskOperation, DiskStep } from '../simulated-disk.js';

type DiskErrorCode = Extract<ErrorCode, `ERR_STORAGE_${string}`>;

/** An error that operations of processes run into. */
export interface WorldDiskFault {
  readonly code: DiskErrorCode;
  readonly operations: readonly DiskOperation[];
  /** `after`: it happens, and only its answer is an error. */
  readonly when: DiskStep['when'];
  /** How many operations it hits. */
  times: number;
  /** Called when it hits. */
  readonly onHit: () => void;
}

/** The disk's errors, for processes alone: observers read what is there. */
export class DiskFaults {
  private faults: WorldDiskFault[] = [];

  /** @returns takes it away */
  add(fault: WorldDiskFault): () => void {
    this.faults.push(fault);
    return () => {
      this.faults = this.faults.filter((other) => other !== fault);
    };
  }

  /** Takes back all, also those that have not hit anything yet. */
  heal(): void {
    this.faults = [];
  }

  /** For the world's disk. @throws MillraceError with the code of a fault that fits */
  onStep({ when, operation, path }: DiskStep): undefined {
    const fault = this.faults.find(
      (each) => each.times > 0 && each.when === when && each.operations.includes(operation),
    );
    if (fault === undefined) return;
    fault.times -= 1;
    fault.onHit();
    throw new MillraceError(fault.code, `${operation} ${path}: a fault of the simulated disk`);
  }
}
