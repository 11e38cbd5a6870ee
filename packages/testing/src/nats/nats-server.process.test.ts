import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { natsSkipReason, startNatsCluster, startNatsServer } from './index.js';

/** The first line a server sends to whoever connects; undefined: nobody listens. */
function greeting(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
    // One that is paused accepts and says nothing; killed, it resets the connection.
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.toString().split('\r\n')[0]!);
    });
  });
}

describe.skipIf(natsSkipReason() !== undefined)('a server on loopback', () => {
  test('is ready when it is returned; comes back on the same port and store', async () => {
    const server = await startNatsServer({ syncInterval: 'always' });
    try {
      expect(await greeting(server.port)).toMatch(/^INFO .*"jetstream":true/);
      await server.kill();
      expect(server.pid).toBe(0);
      expect(await greeting(server.port)).toBeUndefined();
      expect(existsSync(server.storeFolder)).toBe(true);
      await server.restart();
      expect(await greeting(server.port)).toContain('INFO');
    } finally {
      await server.stop();
    }
    expect(existsSync(server.storeFolder)).toBe(false);
  });

  test('one that does not come up says why', async () => {
    const failing = startNatsServer({ config: 'authorization { nonsense: 1 }' });
    await expect(failing).rejects.toThrow(/nats-server ended; its log ends with[\s\S]*nonsense/);
  });

  test('is killed with its folder when the process that started it is, even paused', async () => {
    const door = new URL('../../dist/nats/index.js', import.meta.url);
    const program = `
      import { startNatsServer } from ${JSON.stringify(door.href)};
      const server = await startNatsServer();
      const { port, storeFolder } = server;
      await server.pause();
      console.log(JSON.stringify({ port, storeFolder }));`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { port, storeFolder } = await new Promise<{ port: number; storeFolder: string }>(
      (resolve) => {
        parent.stdout.once('data', (bytes) => resolve(JSON.parse(bytes.toString())));
      },
    );
    parent.kill('SIGKILL');
    while ((await greeting(port)) !== undefined || existsSync(storeFolder)) await wait(20);
  });
});

describe.skipIf(natsSkipReason() !== undefined)('a cluster', () => {
  test('has one name, bears the loss of a server and takes it in again', async () => {
    const cluster = await startNatsCluster(3);
    try {
      const [first, second] = cluster.servers;
      expect(cluster.servers.map(({ name }) => name)).toEqual(['n1', 'n2', 'n3']);
      await first!.kill();
      expect(await greeting(second!.port)).toContain('"cluster":"millrace-test"');
      await first!.restart();
      expect(await greeting(first!.port)).toContain('"server_name":"n1"');
    } finally {
      await cluster.stop();
    }
  });
});
