import { expect, test } from 'vitest';
import { readLiveArguments } from './live-arguments.js';

test('without any, all parts are started with what suits a laptop', () => {
  expect(readLiveArguments([])).toEqual({
    part: 'all',
    rate: 2_000,
    port: 14_222,
    seed: 1,
    folder: 'out/fraud-nats',
    fresh: false,
    help: false,
  });
  expect(readLiveArguments(['job', '--rate', '10'])).toMatchObject({ part: 'job', rate: 10 });
});

test.each([
  [['jobs'], 'one of all, server, load, job, alerts, check expected, found jobs'],
  [['job', 'load'], 'found job load'],
  [['--rate', '0'], '--rate should be a whole number from 1 on, found "0"'],
  [['--port', 'x'], '--port should be a whole number'],
  [['job', '--fresh'], '--fresh is for all parts together'],
  [['--speed'], 'speed'],
])('%j is refused', (args, message) => {
  expect(() => readLiveArguments(args)).toThrow(message);
});
