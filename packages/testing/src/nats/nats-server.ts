import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childGuard } from './child-guard.js';
import { findNatsServer } from './find-nats-server.js';
import { freePorts } from './free-ports.js';
import { type ServerSettings, serverConfig, storeFolderOf } from './server-config.js';
import { ServerProcess } from './server-process.js';

export type KillSignal = 'SIGKILL' | 'SIGTERM';

/** A server on loopback that ends with the test process, however that ends. */
export interface NatsServer {
  readonly name: string;
  /** `nats://127.0.0.1:port`; stays the same over restarts. */
  readonly url: string;
  readonly port: number;
  /** Where JetStream keeps its streams. */
  readonly storeFolder: string;
  /** 0 while it is down. */
  readonly pid: number;
  /** Ends it, at once by default. It can be started again. Does nothing when it is down. */
  kill(signal?: KillSignal): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nobody. Resolves when that is so. */
  pause(): Promise<void>;
  resume(): void;
  /** Kills it if it runs, and starts it on the same port and store; resolves when it is ready. */
  restart(): Promise<void>;
  /** The last lines it wrote. */
  logTail(): string;
  /** Ends it for good and removes its folder. */
  stop(): Promise<void>;
}

export interface NatsServerOptions {
  /** Path of the program. Default: {@link findNatsServer}. */
  readonly binary?: string | undefined;
  /** Default `'on'`. */
  readonly jetStream?: 'on' | 'off' | undefined;
  /** How often JetStream syncs its files: `'always'`, `'10s'`. Default: the server's. */
  readonly syncInterval?: string | undefined;
  /**
   * Further lines of its configuration file.
   *
   * @example
   * 'authorization { token: "t0p" }'
   */
  readonly config?: string | undefined;
}

/** A port is chosen before it is bound; another process may be quicker. */
const portTriesMax = 3;

/**
 * Starts a nats-server on free ports of 127.0.0.1 with its store in a temporary folder.
 *
 * @throws ERR_TEST_KIT with the end of its log when it does not come up
 * @example
 * const server = await startNatsServer({ syncInterval: 'always' });
 * await server.kill();
 * await server.restart();
 * await server.stop();
 */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  return withFreePorts(2, async ([port, monitorPort]) => {
    const server = new LoopbackServer(options, {
      name: 'single',
      port: port!,
      monitorPort: monitorPort!,
      cluster: undefined,
    });
    await server.startAll([server]);
    return server;
  });
}

/** Tries again with other ports when one of them was taken meanwhile. */
export async function withFreePorts<S>(
  count: number,
  start: (ports: readonly number[]) => Promise<S>,
): Promise<S> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start(await freePorts(count));
    } catch (error) {
      if (tries === portTriesMax || !/address already in use/.test(String(error))) throw error;
    }
  }
}

/** A server with its folder; alone or one of a cluster. */
export class LoopbackServer implements NatsServer {
  readonly name: string;
  readonly url: string;
  readonly port: number;
  readonly storeFolder: string;
  private readonly folder: string;
  private readonly process: ServerProcess;

  constructor(
    options: NatsServerOptions,
    place: Pick<ServerSettings, 'name' | 'port' | 'monitorPort' | 'cluster'>,
  ) {
    const binary = options.binary ?? findNatsServer();
    this.name = place.name;
    this.port = place.port;
    this.url = `nats://127.0.0.1:${place.port}`;
    this.folder = mkdtempSync(join(tmpdir(), 'millrace-nats-'));
    childGuard.watchFolder(this.folder);
    this.storeFolder = storeFolderOf(this.folder);
    mkdirSync(this.storeFolder);
    const configPath = join(this.folder, 'server.conf');
    const { jetStream = 'on', syncInterval, config = '' } = options;
    writeFileSync(
      configPath,
      serverConfig({ ...place, folder: this.folder, jetStream, syncInterval, config }),
    );
    this.process = new ServerProcess({
      binary,
      configPath,
      logPath: join(this.folder, 'server.log'),
      healthUrl: `http://127.0.0.1:${place.monitorPort}/healthz`,
    });
  }

  get pid(): number {
    return this.process.pid;
  }

  /** Starts servers that need one another to be ready; stops them all if one fails. */
  async startAll(servers: readonly LoopbackServer[]): Promise<void> {
    try {
      for (const server of servers) server.process.spawn();
      await Promise.all(servers.map((server) => server.process.ready()));
    } catch (error) {
      await Promise.all(servers.map((server) => server.stop()));
      throw error;
    }
  }

  kill(signal: KillSignal = 'SIGKILL'): Promise<void> {
    return this.process.end(signal);
  }

  pause(): Promise<void> {
    return this.process.pause();
  }

  resume(): void {
    this.process.resume();
  }

  async restart(): Promise<void> {
    await this.kill();
    this.process.spawn();
    await this.process.ready();
  }

  logTail(): string {
    return this.process.logTail();
  }

  async stop(): Promise<void> {
    await this.process.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
    childGuard.forgetFolder(this.folder);
  }
}
