import { readFileSync } from 'node:fs';
import { type NatsServer, startNatsServer } from '@millrace/testing/nats';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { readingOf, streams, subjects } from './jobs.js';

/** Published ahead of the server's word that they are stored: it drops what it cannot queue. */
const preloadGroup = 4_000;
/** `USER_HZ` of Linux. */
const ticksPerSecond = 100;

/** A server with an empty input and output stream. */
export interface BenchStreams {
  readonly server: NatsServer;
  readonly connection: NatsConnection;
  /** Stores records; each is a message of its own. */
  preload(records: number): Promise<void>;
  /** Messages of the output. */
  outputMessages(): Promise<number>;
  stop(): Promise<void>;
}

export async function startStreams(): Promise<BenchStreams> {
  const server = await startNatsServer();
  const connection = await connect({ servers: server.url });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: streams.input, subjects: [subjects.input] });
  await manager.streams.add({
    name: streams.output,
    subjects: [subjects.allOutput],
    allow_atomic: true,
    allow_rollup_hdrs: true,
  });
  return {
    server,
    connection,
    async preload(records) {
      for (let n = 0; n < records; n += 1) {
        const message = JSON.stringify(readingOf(n));
        // Its answer says that those before it are stored, too.
        const isAnswered = n % preloadGroup === 0 || n === records - 1;
        if (isAnswered) await connection.request(subjects.input, message);
        else connection.publish(subjects.input, message);
      }
      const { state } = await manager.streams.info(streams.input);
      if (state.messages !== records) throw new Error(`${state.messages} of ${records} are stored`);
    },
    async outputMessages() {
      const filter = { subjects_filter: subjects.output };
      const { state } = await manager.streams.info(streams.output, filter);
      return state.subjects?.[subjects.output] ?? 0;
    },
    async stop() {
      await connection.close();
      await server.stop();
    },
  };
}

/** Processor time that a process has taken, ms; 0 where the system does not tell. */
export function cpuMsOf(pid: number): number {
  try {
    // Behind the name in parentheses: state, …; user and system time are the 12th and 13th.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1_000;
  } catch {
    return 0;
  }
}
