import { type JobHandle, run } from '@millrace/runtime';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import {
  type ChildTask,
  nowUs,
  type Progress,
  type PublishTask,
  type RunTask,
  type SlowJobFacts,
  type SlowTask,
} from './child-task.js';
import {
  benchJob,
  type Reading,
  readingOf,
  recordsBefore,
  slowJob,
  streams,
  subjects,
} from './jobs.js';

const progressMs = 200;
/** How often a publisher catches up with its rate, ms. */
const burstMs = 2;

/** Does what a process is asked to, until its input is closed. */
export async function runChild(task: ChildTask): Promise<void> {
  process.stdin.on('end', () => process.exit()).resume();
  switch (task.kind) {
    case 'run':
      return runJob(task);
    case 'slow':
      return runSlowJob(task);
    case 'publish':
      return publish(task);
    case 'subscribe':
      return subscribe(task.server);
  }
}

async function runJob({ server, job, guarantee, folder, intervalMs }: RunTask): Promise<void> {
  const handle = run(benchJob(job, { server, guarantee }), {
    checkRecords: 'off',
    checkpoints: { folder, interval: intervalMs },
    restart: { kind: 'none' },
  });
  tellProgress(() => {
    const { recordsIn, checkpoints } = handle.progress();
    return { records: recordsIn, checkpoints: checkpoints?.committed ?? 0 };
  });
  await handle.done;
}

async function runSlowJob({ server, folder, takenPerSecond }: SlowTask): Promise<void> {
  const handle = run(slowJob(server, takenPerSecond), {
    checkpoints: { folder, interval: '1s' },
    restart: { kind: 'none' },
  });
  tellProgress(() => {
    const { recordsIn, checkpoints } = handle.progress();
    return {
      records: recordsIn,
      checkpoints: checkpoints?.committed ?? 0,
      facts: slowJobFacts(handle),
    };
  });
  await handle.done;
}

function slowJobFacts(handle: JobHandle): SlowJobFacts {
  const { readings = {} } = handle.metrics().operators;
  const { recordsIn, watermarkMs } = handle.progress();
  return {
    pending: readings.pendingRecords ?? 0,
    reconnects: readings.natsReconnects ?? 0,
    consumersMade: readings.natsConsumerRecreations ?? 0,
    backPressuredMs: readings.accumulateBackPressuredTimeMs ?? 0,
    watermarkLagRecords: Number.isFinite(watermarkMs) ? recordsIn - recordsBefore(watermarkMs) : 0,
  };
}

async function publish({ server, recordsPerSecond }: PublishTask): Promise<void> {
  const connection = await connect({ servers: server });
  const begunUs = nowUs();
  let published = 0;
  tellProgress(() => ({ records: published }));
  setInterval(() => {
    const due = ((nowUs() - begunUs) * recordsPerSecond) / 1e6;
    for (; published < due; published += 1) {
      connection.publish(subjects.input, JSON.stringify(readingOf(published, nowUs())));
    }
  }, burstMs);
}

async function subscribe(server: string): Promise<void> {
  const connection = await connect({ servers: server });
  const consumer = await jetstream(connection).consumers.get(streams.output, {
    filter_subjects: subjects.output,
  });
  let received = 0;
  let agesUs: number[] = [];
  tellProgress(() => {
    const report = { records: received, agesUs };
    agesUs = [];
    return report;
  });
  for await (const message of await consumer.consume({ max_messages: 5_000 })) {
    const { sentUs } = message.json<Reading>();
    received += 1;
    agesUs.push(nowUs() - sentUs);
  }
}

function tellProgress(
  read: () => Pick<Progress, 'records' | 'checkpoints' | 'agesUs' | 'facts'>,
): void {
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    const progress: Progress = {
      nowMs: nowUs() / 1_000,
      cpuMs: (user + system) / 1_000,
      rssMiB: process.memoryUsage.rss() / (1 << 20),
      ...read(),
    };
    process.stdout.write(`${JSON.stringify(progress)}\n`);
  }, progressMs);
}
