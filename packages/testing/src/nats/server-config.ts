import { join } from 'node:path';

/** What a server's configuration file is made of. */
export interface ServerSettings {
  readonly name: string;
  readonly port: number;
  /** Of the health page. */
  readonly monitorPort: number;
  readonly folder: string;
  readonly jetStream: 'on' | 'off';
  readonly syncInterval: string | undefined;
  /** Further lines, as the server reads them. */
  readonly config: string;
  readonly cluster: { readonly port: number; readonly routePorts: readonly number[] } | undefined;
}

export const storeFolderOf = (folder: string): string => join(folder, 'store');

/** The text of a configuration file that keeps everything on loopback. */
export function serverConfig(settings: ServerSettings): string {
  const { name, port, monitorPort, folder, jetStream, syncInterval, config, cluster } = settings;
  return [
    `server_name: ${name}`,
    `listen: "127.0.0.1:${port}"`,
    `http: "127.0.0.1:${monitorPort}"`,
    ...(jetStream === 'off'
      ? []
      : [
          'jetstream {',
          `  store_dir: ${JSON.stringify(storeFolderOf(folder))}`,
          ...(syncInterval === undefined ? [] : [`  sync_interval: "${syncInterval}"`]),
          '}',
        ]),
    ...(cluster === undefined
      ? []
      : [
          'cluster {',
          '  name: millrace-test',
          `  listen: "127.0.0.1:${cluster.port}"`,
          `  routes: [${cluster.routePorts.map((each) => `"nats://127.0.0.1:${each}"`).join(', ')}]`,
          '}',
        ]),
    config,
    '',
  ].join('\n');
}
