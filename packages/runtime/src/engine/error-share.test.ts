import { describe, expect, test } from 'vitest';
import { ErrorShare } from './error-share.js';

describe('the share of records that failed in the last minute', () => {
  test('is of all records so far while there was no minute yet', () => {
    const share = new ErrorShare(0);
    share.count(10);
    expect(share.fail(30_000)).toEqual({ failed: 1, records: 10 });
    share.count(10);
    expect(share.fail(60_000)).toEqual({ failed: 2, records: 20 });
  });

  test('takes records between two failures to have come evenly', () => {
    const share = new ErrorShare(0);
    share.count(600);
    expect(share.fail(600_000)).toEqual({ failed: 1, records: 60 });
    share.count(30);
    // Half of the minute before is over a minute ago.
    expect(share.fail(630_000)).toEqual({ failed: 2, records: 60 });
    share.count(10);
    expect(share.fail(660_000)).toEqual({ failed: 3, records: 40 });
  });

  test('counts failures of the minute before as its records', () => {
    const share = new ErrorShare(0);
    share.count(100);
    for (let n = 0; n < 8; n += 1) share.fail(0);
    share.count(100);
    const { failed, records } = share.fail(120_000);
    expect([failed, records]).toEqual([5, 100]);
  });

  test('is never more than all: a record is counted behind its failure, or not at all', () => {
    const share = new ErrorShare(0);
    expect(share.fail(0)).toEqual({ failed: 1, records: 1 });
    expect(share.fail(0)).toEqual({ failed: 2, records: 2 });
  });
});
