import { natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testContext } from '../reading/reader-driver.js';
import { failureOf, gapOf, realEnv, withLink } from './connection-driver.js';
import { openNats } from './open-nats.js';
import { requireJetStream } from './server-features.js';

const skipped = natsSkipReason() !== undefined;
type Server = Awaited<ReturnType<typeof startNatsServer>>;

describe.skipIf(skipped)('a connection', () => {
  let server: Server;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server?.stop());

  test('its gate shuts when the server dies and opens when it is back', () =>
    withLink({ servers: server.url }, async (link, { counters }) => {
      expect(link.isOpen()).toBe(true);
      const heard: string[] = [];
      link.connection.subscribe('news', {
        callback: (_error, each) => void heard.push(each.string()),
      });
      const gap = gapOf(link);
      await server.kill();
      await gap;
      expect(link.isOpen()).toBe(false);
      await server.restart();
      await link.whenOpen();
      expect(link.isOpen()).toBe(true);
      expect(counters.get('natsReconnects')).toEqual({ value: 1 });
      // What is published when the gate has opened arrives, at subscriptions made before too.
      link.connection.publish('news', 'again');
      await link.connection.flush();
      expect(heard).toEqual(['again']);
    }));

  test('is tried again until the server is there', async () => {
    await server.kill();
    const opening = withLink({ servers: server.url }, async (link) => {
      expect(link.isOpen()).toBe(true);
    });
    await server.restart();
    await opening;
  });

  test('one that closes for good says so to whoever waits for the gate', async () => {
    await withLink({ servers: server.url }, async (link) => {
      const gap = gapOf(link);
      await server.kill();
      await gap;
      const waiting = expect(link.whenOpen()).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
      await link.close();
      await waiting;
    });
    await server.restart();
  });

  test('subtasks of one operator share it, source and sink of one id do not', async () => {
    const env = realEnv();
    const settings = { servers: server.url };
    const open = (plane: 'source' | 'sink') => openNats(settings, testContext(env), plane);
    const links = await Promise.all([open('source'), open('source'), open('sink')]);
    const [first, second, sink] = links;
    expect(second!.connection).toBe(first!.connection);
    expect(sink!.connection).not.toBe(first!.connection);
    await first!.close();
    expect(second!.isOpen()).toBe(true);
    await second!.close();
    expect(first!.connection.isClosed()).toBe(true);
    const anew = await open('source');
    expect(anew.connection).not.toBe(first!.connection);
    await Promise.all([anew.close(), sink!.close()]);
  });

  test('the server says what it can do', () =>
    withLink({ servers: server.url }, async (link) => {
      const features = await requireJetStream(link, ['atomicBatch']);
      expect(features.version).toMatch(/^2\.\d+\.\d+/);
      expect(features.apiLevel).toBeGreaterThanOrEqual(4);
    }));
});

describe.skipIf(skipped)('permissions', () => {
  let server: Server;
  beforeAll(async () => {
    process.env.MILLRACE_TEST_PASSWORD = 'pw';
    server = await startNatsServer({
      config: `authorization { users = [{ user: limited, password: "pw", permissions: {
        publish: { deny: ["secret.>", "$JS.>"] }, subscribe: { deny: "secret.>" } } }] }`,
    });
  });
  afterAll(() => server?.stop());

  const check = (
    act: (link: Parameters<Parameters<typeof withLink>[1]>[0]) => void,
    text: string,
  ) =>
    withLink(
      {
        servers: server.url,
        auth: { user: 'limited', password: { env: 'MILLRACE_TEST_PASSWORD' } },
      },
      async (link) => {
        act(link);
        const error = await failureOf(link);
        expect(error).toMatchObject({ code: 'ERR_NATS_PERMISSION', operator: 'in' });
        expect(String(error)).toContain(text);
        expect(link.failed).toBe(error);
        expect(link.isOpen()).toBe(false);
        await expect(link.whenOpen()).rejects.toBe(error);
      },
    );

  test('publishing to a denied subject fails the link, with the subject', () =>
    check((link) => link.connection.publish('secret.a', 'x'), 'publishing to "secret.a"'));

  test('so does subscribing', () =>
    check((link) => {
      link.connection.subscribe('secret.b', { callback: () => undefined });
    }, 'subscribing to "secret.b"'));

  test('and so does asking for JetStream where that is denied', () =>
    check((link) => {
      requireJetStream(link, []).catch(() => undefined);
    }, 'publishing to "$JS.API.INFO"'));
});

describe.skipIf(skipped)('JetStream', () => {
  test('a server without it is refused', async () => {
    const server = await startNatsServer({ jetStream: 'off' });
    try {
      await withLink({ servers: server.url }, async (link) => {
        await expect(requireJetStream(link, [])).rejects.toMatchObject({
          code: 'ERR_NATS_NO_JETSTREAM',
        });
      });
    } finally {
      await server.stop();
    }
  });
});
