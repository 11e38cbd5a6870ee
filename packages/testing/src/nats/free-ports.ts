import { createServer } from 'node:net';
import { MillraceError } from '@millrace/core';

/**
 * Below the ports that systems give to outgoing connections. A port from among those could be taken
 * while its server is down, even by a client that tries to reach that server: on loopback it would
 * then be connected to itself.
 */
const portMin = 14_000;
const portMax = 28_000;
const triesMax = 1_000;

/** Ports of 127.0.0.1 that nobody listens at now. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries += 1) {
    if (tries === triesMax) throw new MillraceError('ERR_TEST_KIT', 'there is no free port');
    const port = portMin + Math.floor(Math.random() * (portMax - portMin));
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
