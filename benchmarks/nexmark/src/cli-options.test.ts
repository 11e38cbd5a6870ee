import { describe, expect, test } from 'vitest';
import { parseCommand } from './cli-options.js';

describe('parseCommand', () => {
  test('reads the options of generate', () => {
    const text = 'generate --seed 7 --events 50 --rate 0.5 --disorder-ms 20 --output a.gz';
    expect(parseCommand(text.split(' '))).toEqual({
      name: 'generate',
      options: { seed: 7, events: 50, rate: 0.5, disorderMs: 20 },
      output: 'a.gz',
    });
  });

  test('takes the named queries in their usual order, or all', () => {
    expect(parseCommand(['check', 'q5', 'q0'])).toEqual({ name: 'check', queries: ['q0', 'q5'] });
    expect(parseCommand(['check'])).toMatchObject({ queries: { length: 10 } });
  });

  test('gives help when there is no command', () => {
    expect(parseCommand([])).toEqual({ name: 'help' });
  });

  test.each([
    [['generate'], 'generate needs --output FILE'],
    [['bench', '--rate', '0'], '--rate must be a positive number, not 0'],
    [['bench', '--rounds', '1.5'], '--rounds must be a whole number of at least 1, not 1.5'],
    [['bench', 'q99'], 'Unknown queries: q99'],
    [['fly'], 'Unknown command: fly'],
    [['check', '--loud'], "Unknown option '--loud'"],
  ])('%j is refused', (args, message) => {
    expect(() => parseCommand(args)).toThrow(message);
  });
});
