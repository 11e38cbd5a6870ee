import { fromIterable, jetstreamSink, pacedSource } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import { sinkTo } from '@millrace/operators';
import { run } from '@millrace/runtime';
import { simulate } from '../model/simulate.js';
import { foldersOf, type LiveSettings, natsOf, TRANSACTIONS, WORLD } from './settings.js';

/**
 * Publishes simulated transactions at a chosen rate: a job of its own, so that none is missing or
 * doubled however often it is killed.
 */
export function runLoad(settings: LiveSettings) {
  const { rate, seed } = settings;
  const simulated = fromIterable(() => simulate({ seed, ...WORLD }), { repeats: true });
  const job = defineJob('load', {}, (builder) => {
    builder
      .source(
        'simulated',
        pacedSource(simulated, rate),
        watermarks((t) => t.at, { farFuture: 'off' }),
      )
      .pipe(
        sinkTo(
          'transactions',
          jetstreamSink({
            ...TRANSACTIONS,
            nats: natsOf(settings),
            createStream: { maxBytes: 2 ** 30 },
          }),
        ),
      );
  });
  return run(job, {
    checkpoints: { folder: foldersOf(settings).load, interval: '250ms', minPause: '50ms' },
  });
}
