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

  test('reads the options of run', () => {
    const text = 'run q5 --input a.gz --output b --repeat 3';
    const expected = { name: 'run', query: 'q5', input: 'a.gz', output: 'b', repeat: 3 };
    expect(parseCommand(text.split(' '))).toEqual(expected);
  });

  test('takes the named queries in their usual order, or all', () => {
    expect(parseCommand(['check', 'q5', 'q0'])).toEqual({ name: 'check', queries: ['q0', 'q5'] });
    expect(parseCommand(['check'])).toMatchObject({ queries: { length: 10 } });
  });

  test('checks the named input against the named results', () => {
    expect(parseCommand(['check', '--input', 'a.gz', '--golden', 'b'])).toMatchObject({
      inputs: [{ events: 'a.gz', folder: 'b' }],
    });
  });

  test('gives help when there is no command', () => {
    expect(parseCommand([])).toEqual({ name: 'help' });
  });

  test.each([
    [['generate'], 'generate needs --output FILE'],
    [['run', 'q5', '--output', 'b'], 'run needs --input FILE'],
    [['run', '--input', 'a', '--output', 'b'], 'run needs one query'],
    [['run', 'q5', 'q7', '--input', 'a', '--output', 'b'], 'run needs one query'],
    [['check', '--input', 'a'], 'check needs --golden DIR'],
    [['bench', '--rate', '0'], '--rate must be a positive number, not 0'],
    [['bench', '--rounds', '1.5'], '--rounds must be a whole number of at least 1, not 1.5'],
    [['bench', 'q99'], 'Unknown queries: q99'],
    [['fly'], 'Unknown command: fly'],
    [['check', '--loud'], "Unknown option '--loud'"],
  ])('%j is refused', (args, message) => {
    expect(() => parseCommand(args)).toThrow(message);
  });
});
