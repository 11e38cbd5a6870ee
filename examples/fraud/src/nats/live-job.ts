import { callbackSink, jetstreamSink, jetstreamSource } from '@millrace/connectors';
import { run } from '@millrace/runtime';
import { fraudJob } from '../job.js';
import { ALERTS, foldersOf, type LiveSettings, natsOf, transactionsFrom } from './settings.js';

/** The fraud job between two streams, with its checkpoints in a folder. */
export function runLiveJob(settings: LiveSettings) {
  const job = fraudJob(
    callbackSink(() => {}),
    {
      transactions: jetstreamSource(transactionsFrom(settings)),
      alerts: jetstreamSink({ ...ALERTS, nats: natsOf(settings), createStream: {} }),
    },
  );
  return run(job, {
    params: {},
    checkpoints: { folder: foldersOf(settings).job, interval: '500ms', minPause: '100ms' },
  });
}
