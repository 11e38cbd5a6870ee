import type { LocalLimits } from './limits.js';

/**
 * Whether aggregating ahead of the exchange pays. Where it leaves nearly as many rows as there were
 * records, these pass as they are for a while; then it is tried again.
 */
export class Reduction {
  private rows = 0;
  private records = 0;
  private passesLeft = 0;
  private readonly limits: LocalLimits;

  constructor(limits: LocalLimits) {
    this.limits = limits;
  }

  /** Records are to pass as rows of their own. */
  get passes(): boolean {
    return this.passesLeft > 0;
  }

  /** So many records were given out in so many rows. */
  gaveOut(rows: number, records: number): void {
    this.rows += rows;
    this.records += records;
  }

  /** Called when rows have been given out: true when records are to pass from now on. */
  look(): boolean {
    const { reductionRecordsMin, reductionRowsShare, passRecords } = this.limits;
    if (this.records === 0 || this.records < reductionRecordsMin) return false;
    if (this.rows > this.records * reductionRowsShare) this.passesLeft = passRecords;
    this.rows = 0;
    this.records = 0;
    return this.passes;
  }

  /** A record has passed: true when it was the last one for now. */
  passed(): boolean {
    if (this.passesLeft === 0) return false;
    this.passesLeft -= 1;
    return this.passesLeft === 0;
  }
}
