import { driveJob, simulate } from '@millrace/testing';
import { describe, expect, test } from 'vitest';
import { forgetfulVouchers, type Purchase, vouchers } from './vouchers.js';

const purchases: readonly Purchase[] = Array.from({ length: 40 }, (_, id) => ({
  id,
  customer: ['ada', 'ben', 'eve'][id % 3]!,
}));

describe('every third purchase gives a voucher', () => {
  test.each([vouchers, forgetfulVouchers])('while nothing fails: $name', async (job) => {
    const driver = await driveJob(job);
    await driver.send('purchases', purchases);
    await driver.finish();
    expect(driver.values('vouchers')).toHaveLength(12);
  });

  test('whatever fails', async () => {
    const report = await simulate(vouchers, {
      input: { purchases },
      splits: { purchases: ({ customer }) => customer },
    });
    expect(report.seeds).toBe(50);
  });

  test('but not where purchases are counted in a variable', async () => {
    await expect(simulate(forgetfulVouchers, { input: { purchases } })).rejects.toThrow(
      /exactlyOnce does not hold:\nsink vouchers: \d+ rows? .*It differs only with faults/s,
    );
  });
});
