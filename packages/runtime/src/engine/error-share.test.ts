import { describe, expect, test } from 'vitest';
import { ErrorShare } from './error-share.js';

describe('the share of records that failed in the last minute', () => {
  test('is of all records while there was no minute yet', () => {
    const share = new ErrorShare();
    share.count(10, 0);
    expect(share.fail(30_000)).toEqual({ failed: 1, records: 10 });
    share.count(10, 40_000);
    expect(share.fail(59_999)).toEqual({ failed: 2, records: 20 });
  });

  test('is not of what came before, in parts of ten seconds', () => {
    const share = new ErrorShare();
    share.count(100, 9_999);
    share.fail(9_999);
    share.count(30, 10_000);
    expect(share.fail(69_999)).toEqual({ failed: 1, records: 30 });
    expect(share.fail(70_000)).toEqual({ failed: 2, records: 2 });
    share.count(1, 1e12);
    expect(share.fail(1e12)).toEqual({ failed: 1, records: 1 });
  });

  test('is of a burst behind a silent hour all that came in it', () => {
    const share = new ErrorShare();
    share.count(1, 0);
    share.count(10_000, 3_600_000);
    for (let n = 1; n < 20; n += 1) {
      expect(share.fail(3_602_000)).toEqual({ failed: n, records: 10_000 });
    }
  });

  test('is never more than all: a record is counted behind its failure, or not at all', () => {
    const share = new ErrorShare();
    expect(share.fail(0)).toEqual({ failed: 1, records: 1 });
    expect(share.fail(0)).toEqual({ failed: 2, records: 2 });
  });
});
