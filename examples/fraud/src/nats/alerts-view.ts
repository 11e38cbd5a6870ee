import { callbackSink, jetstreamSource } from '@millrace/connectors';
import { defineJob, watermarks } from '@millrace/core';
import { sinkTo } from '@millrace/operators';
import { run } from '@millrace/runtime';
import type { Alert } from '../rules/decide.js';
import { renderAlert } from '../screen.js';
import { ALERTS, type LiveSettings, natsOf } from './settings.js';

/** Lines a second; the others are counted. */
const linesMax = 2;

/** Shows alerts as they arrive on their stream. */
export function viewAlerts(settings: LiveSettings, say: (line: string) => void) {
  let seen = 0;
  let saidInSecond = 0;
  let second = 0;
  const show = (alert: Alert): void => {
    seen += 1;
    const now = Math.floor(performance.now() / 1_000);
    if (now !== second) saidInSecond = 0;
    second = now;
    saidInSecond += 1;
    if (saidInSecond <= linesMax) say(`${seen}: ${renderAlert(alert)}`);
  };
  const job = defineJob('alerts-view', {}, (builder) => {
    const alerts = jetstreamSource<Alert>({
      nats: natsOf(settings),
      stream: ALERTS.stream,
      subjects: [ALERTS.subject],
      start: 'new',
    });
    builder.source('alerts', alerts, watermarks()).pipe(sinkTo('screen', callbackSink(show)));
  });
  return run(job);
}
