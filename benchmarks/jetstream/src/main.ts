import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { runChild } from './child.js';
import type { ChildTask } from './child-task.js';
import type { JobName } from './jobs.js';
import { type Latency, type LatencyTask, measureLatency } from './latency.js';
import { measureSlowSink } from './slow-sink.js';
import { measureThroughput, type Throughput } from './throughput.js';

const usage = `Usage: bench:jetstream [case …] [--seconds N] [--records N]

  tenth      throughput: a message of the output for ten records of the input (1,000 keys, windows)
  each       throughput: a message for each record
  packed     throughput: a message for a hundred records, gathered by a window: messages have one
             record each, so packing is up to the job
  latency    at 20,000 records/s, a message for each: exactly-once with checkpoints each 100 ms and
             each second, and at-least-once
  slow       4,000 records/s come, and the sink takes 1,000, for --slow-seconds (120): fails where
             memory grows, connections or consumers are lost, or lag, watermark and back-pressure
             do not show what is so

All unless named. --seconds (20) of each latency, --records (3000000) of each throughput.

Throughput: the stream is filled first, one record of about 60 bytes of JSON a message; then the job
reads it as fast as it goes, exactly once with a checkpoint each second, and what counts is from the
first tenth of the records to the last. Latency: from just before a record is published until a
consumer of the output stream in another process has it, by the machine's monotonic clock. Server,
job, publisher and consumer are processes of this machine.`;

interface Settings {
  readonly seconds: number;
  readonly records: number;
  readonly slowSeconds: number;
}

const cases: Readonly<Record<string, (settings: Settings) => Promise<void>>> = {
  tenth: (settings) => throughput('tenth', '10 records a message out', settings),
  each: (settings) => throughput('each', '1 record a message out', settings),
  packed: (settings) => throughput('packed', '100 records a message out', settings),
  async latency({ seconds }) {
    const task = { recordsPerSecond: 20_000, seconds };
    const times = [100, 1_000] as const;
    for (const checkpointMs of times) {
      await latency({ ...task, guarantee: 'exactly-once', checkpointMs });
    }
    await latency({ ...task, guarantee: 'at-least-once', checkpointMs: 1_000 });
  },
  slow: slowSink,
};

async function throughput(job: JobName, name: string, { records }: Settings): Promise<void> {
  sayThroughput(name, await measureThroughput({ job, records }));
}

function sayThroughput(name: string, result: Throughput): void {
  const { recordsPerSecond, messagesOutPerSecond, seconds, checkpoints, rssMiBMax } = result;
  console.log(
    `${name}: ${thousands(recordsPerSecond)} records/s in, ` +
      `${thousands(messagesOutPerSecond)} messages/s out, exactly-once, over ` +
      `${seconds.toFixed(1)} s with ${checkpoints} checkpoints; ` +
      `${cpu(result)}, RSS ${rssMiBMax.toFixed(0)} MiB`,
  );
}

async function latency(task: LatencyTask): Promise<void> {
  const result: Latency = await measureLatency(task);
  const { p50Ms, p99Ms, maxMs, receivedPerSecond, checkpoints } = result;
  console.log(
    `${task.guarantee}, checkpoints each ${task.checkpointMs} ms, ` +
      `${thousands(task.recordsPerSecond)} records/s: ` +
      `p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}, max ${ms(maxMs)} ` +
      `(${thousands(receivedPerSecond)} records/s received, ${checkpoints} checkpoints; ${cpu(result)})`,
  );
}

async function slowSink({ slowSeconds: seconds }: Settings): Promise<void> {
  const task = { publishedPerSecond: 4_000, takenPerSecond: 1_000, seconds };
  const { faults, rssMiB, facts, ...found } = await measureSlowSink(task);
  const [first, last] = rssMiB.map((value) => value.toFixed(0));
  console.log(
    `slow sink, ${seconds} s: ${thousands(found.recordsPerSecond)} records/s; ` +
      `${thousands(found.pending)} pending of ${thousands(found.behind)} that it is behind; ` +
      `back-pressured ${(found.backPressuredShare * 100).toFixed(0)} % of the time; ` +
      `RSS ${first} MiB in the first quarter, ${last} MiB in the last; ` +
      `${found.checkpoints} checkpoints, ${facts.reconnects} reconnects, ` +
      `${facts.consumersMade} consumers made anew, ` +
      `watermark ${thousands(facts.watermarkLagRecords)} records behind the source`,
  );
  for (const fault of faults) console.log(`FAILED: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}

const cpu = ({ jobCpu, serverCpu }: Pick<Throughput, 'jobCpu' | 'serverCpu'>): string =>
  `processors: job ${jobCpu.toFixed(2)}, server ${serverCpu.toFixed(2)} of ${cpus().length}`;
const thousands = (value: number): string => Math.round(value).toLocaleString('en');
const ms = (value: number): string => `${value.toFixed(1)} ms`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    child: { type: 'string' },
    seconds: { type: 'string', default: '20' },
    records: { type: 'string', default: '3000000' },
    'slow-seconds': { type: 'string', default: '120' },
    help: { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => cases[name] === undefined);
if (values.child !== undefined) {
  await runChild(JSON.parse(values.child) as ChildTask);
} else if (values.help || unknown.length > 0) {
  console.log(usage);
  process.exitCode = values.help ? 0 : 2;
} else {
  const settings: Settings = {
    seconds: Number(values.seconds),
    records: Number(values.records),
    slowSeconds: Number(values['slow-seconds']),
  };
  for (const name of positionals.length > 0 ? positionals : Object.keys(cases)) {
    await cases[name]!(settings);
  }
}
