import { describe, expect, it } from 'vitest';
import type { Alert } from './rules/decide.js';
import { coloursFor, renderProgress, renderScreen, type Snapshot } from './screen.js';

const alert: Alert = {
  id: '7',
  at: Date.UTC(2018, 3, 2, 10, 30),
  card: 'c12',
  terminal: 't99',
  amount: 250,
  score: 1,
  findings: [
    {
      rule: 'amount-limit',
      cause: 'amount',
      chance: 1,
      text: 'amount 250.00 is above the limit of 220',
      numbers: { amount: 250, limit: 220 },
    },
  ],
};

const snapshot: Snapshot = {
  transactions: 1_234_567,
  perSecond: 201_000,
  eventTimeMs: alert.at,
  elapsedMs: 6_140,
  alerts: 42,
  ruleCounts: { 'amount-limit': 40, 'card-leak': 2 },
  lastAlerts: [alert],
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are escape sequences
const ESCAPES = /\u001b\[\d+m/g;

describe('the live view', () => {
  it('shows counts, rules and alerts with their reasons', () => {
    expect(renderScreen(snapshot, { colours: 'none', columns: 120 })).toEqual([
      'Card fraud  event time 2018-04-02 10:30',
      ' 1,234,567 transactions   201,000 /s      42 alerts   6.1 s',
      '',
      `  amount-limit        40  ${'▇'.repeat(24)}`,
      '  card-amount          0  ',
      '  card-leak            2  ▇▇',
      '  card-velocity        0  ',
      '  terminal-risk        0  ',
      '',
      'last alerts',
      '  2018-04-02 10:30  1.00  c12     t99       250.00' +
        '  amount-limit: amount 250.00 is above the limit of 220',
      ...['', '', '', '', ''],
    ]);
  });

  it('is never wider than the terminal and always as high', () => {
    for (const columns of [10, 40, 80, 200]) {
      const lines = renderScreen(snapshot, { colours: 'ansi', columns });
      expect(lines).toHaveLength(16);
      for (const line of lines) {
        expect(line.replace(ESCAPES, '').length).toBeLessThanOrEqual(columns);
      }
    }
  });

  it('differs by colours alone between styles', () => {
    const plain = renderScreen(snapshot, { colours: 'none', columns: 100 });
    const coloured = renderScreen(snapshot, { colours: 'ansi', columns: 100 });
    expect(coloured).not.toEqual(plain);
    expect(coloured.map((line) => line.replace(ESCAPES, ''))).toEqual(plain);
  });

  it('has colours only on a terminal without NO_COLOR', () => {
    expect(coloursFor({ isTTY: true })).toBe('ansi');
    expect(coloursFor({ isTTY: true }, '1')).toBe('none');
    expect(coloursFor({})).toBe('none');
  });
});

describe('the progress line', () => {
  it('says the same without a terminal', () => {
    expect(renderProgress(snapshot)).toBe(
      '6.1 s  2018-04-02 10:30  1,234,567 transactions  201,000/s  42 alerts ' +
        '(amount-limit 40, card-amount 0, card-leak 2, card-velocity 0, terminal-risk 0)',
    );
  });
});
