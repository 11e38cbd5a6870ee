import { describe, expect, test } from 'vitest';
import { parseCommand } from './cli-options.js';

const runOf = (output: string) => ['run', 'q5', '--input', 'a', '--output', output];

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
    const text =
      'run q5 --input a.gz --output b --repeat 3 --rate 100 --backend level --slots 2 --parallelism 3';
    expect(parseCommand(text.split(' '))).toEqual({
      name: 'run',
      options: {
        query: 'q5',
        input: 'a.gz',
        output: 'b',
        repeat: 3,
        eventsPerSecond: 100,
        backend: 'level',
        slots: 2,
        parallelism: 3,
        durability: undefined,
      },
    });
  });

  test('runs durably where checkpoints have a folder', () => {
    const text = 'run q5 --input a --output b --checkpoints c --checkpoint-interval 200ms';
    expect(parseCommand(text.split(' '))).toMatchObject({
      options: { durability: { folder: 'c', interval: '200ms' }, eventsPerSecond: undefined },
    });
  });

  test('takes the named queries in their usual order, or all', () => {
    expect(parseCommand(['check', 'q5', 'q0'])).toEqual({
      name: 'check',
      queries: ['q0', 'q5'],
      inputs: undefined,
      options: { slots: 1, parallelism: undefined },
    });
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
    [[...runOf('b'), '--checkpoint-interval', '1s'], 'needs --checkpoints DIR'],
    [[...runOf('b'), '--checkpoints', 'c', '--checkpoint-interval', 'often'], 'such as 200ms'],
    [[...runOf('b'), '--checkpoints', 'c', '--repeat', '2'], 'runs without --checkpoints'],
    [[...runOf('b.gz'), '--checkpoints', 'c'], 'the output cannot be packed'],
    [[...runOf('b'), '--backend', 'disk'], '--backend must be heap or level, not disk'],
    [[...runOf('b'), '--rate=-1'], '--rate must be a positive number, not -1'],
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
