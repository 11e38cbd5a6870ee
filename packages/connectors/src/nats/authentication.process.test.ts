import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { natsSkipReason, startNatsServer } from '@millrace/testing/nats';
import { nkeys } from '@nats-io/nats-core';
import { afterAll, describe, expect, test } from 'vitest';
import { failureOf, gapOf, withLink } from './connection-driver.js';
import type { NatsSettings } from './nats-settings.js';

const skipped = natsSkipReason() !== undefined;
const folder = mkdtempSync(join(tmpdir(), 'millrace-auth-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Runs `use` with a server of that configuration. */
async function withServer(
  config: string,
  use: (server: Awaited<ReturnType<typeof startNatsServer>>) => Promise<void>,
): Promise<void> {
  const server = await startNatsServer({ config, jetStream: 'off' });
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

const accepted = (settings: NatsSettings): Promise<void> =>
  withLink(settings, async (link) => {
    await link.connection.flush();
  });

async function refused(settings: NatsSettings, code: string, text = ''): Promise<void> {
  const error = await accepted(settings).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code });
  expect(String(error)).toContain(text);
}

describe.skipIf(skipped)('who connects', () => {
  test('a token, from a variable or a file; a wrong one is refused at once', () =>
    withServer('authorization { token: "t0p" }', async ({ url: servers }) => {
      process.env.MILLRACE_TEST_TOKEN = 't0p';
      await accepted({ servers, auth: { token: { env: 'MILLRACE_TEST_TOKEN' } } });
      // Editors end files with a line break.
      await accepted({ servers, auth: { token: { file: fileOf('token', 't0p\n') } } });
      const wrong = { file: fileOf('wrong', 'guess') };
      await refused({ servers, auth: { token: wrong } }, 'ERR_NATS_AUTHENTICATION', 'Violation');
      await refused({ servers }, 'ERR_NATS_AUTHENTICATION');
    }));

  test('a secret that is not there is named', async () => {
    const token = { env: 'MILLRACE_TEST_NO_SUCH' };
    await refused({ auth: { token } }, 'ERR_SECRET_MISSING', 'MILLRACE_TEST_NO_SUCH');
    const creds = { file: join(folder, 'no-such.creds') };
    await refused({ auth: { creds } }, 'ERR_SECRET_MISSING', 'no-such.creds');
  });

  test('an nkey by its seed', () => {
    const pair = nkeys.createUser();
    const seed = new TextDecoder().decode(pair.getSeed());
    const config = `authorization { users = [{ nkey: ${pair.getPublicKey()} }] }`;
    return withServer(config, async ({ url: servers }) => {
      await accepted({ servers, auth: { nkeySeed: { file: fileOf('seed', `${seed}\n`) } } });
      const other = new TextDecoder().decode(nkeys.createUser().getSeed());
      const wrong = { file: fileOf('other-seed', other) };
      await refused({ servers, auth: { nkeySeed: wrong } }, 'ERR_NATS_AUTHENTICATION');
    });
  });

  test('what is no seed and no creds file is said before connecting', async () => {
    const file = fileOf('nonsense', 'nonsense');
    await refused({ auth: { nkeySeed: { file } } }, 'ERR_NATS_AUTHENTICATION', 'auth.nkeySeed');
    await refused({ auth: { creds: { file } } }, 'ERR_NATS_AUTHENTICATION', 'auth.creds');
  });

  test('a renewed secret is used when the connection is made anew', () =>
    withServer('authorization { token: "t0p" }', async (server) => {
      const file = fileOf('renewed', 'guess');
      const settings = { servers: server.url, auth: { token: { file } } };
      await refused(settings, 'ERR_NATS_AUTHENTICATION');
      fileOf('renewed', 't0p');
      await withLink(settings, async (link) => {
        fileOf('renewed', 'guess');
        const failure = failureOf(link);
        await Promise.all([gapOf(link), server.restart()]);
        expect(await failure).toMatchObject({ code: 'ERR_NATS_AUTHENTICATION' });
      });
      fileOf('renewed', 't0p');
      await accepted(settings);
    }));
});

/** A JWT as the server checks it: signed by `signer` over header and claims. */
function jwt(claims: object, signer: ReturnType<typeof nkeys.createUser>): string {
  const part = (value: object | Uint8Array): string =>
    Buffer.from(value instanceof Uint8Array ? value : JSON.stringify(value)).toString('base64url');
  const body = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(claims)}`;
  return `${body}.${part(signer.sign(new TextEncoder().encode(body)))}`;
}

test.skipIf(skipped)('a creds file: a JWT of an account that an operator signed', () => {
  const [operator, account, user] = [
    nkeys.createOperator(),
    nkeys.createAccount(),
    nkeys.createUser(),
  ];
  const claims = (subject: typeof user, issuer: typeof user, nats: object) => ({
    jti: subject.getPublicKey(),
    iat: 1_600_000_000,
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: 'test',
    nats: { version: 2, ...nats },
  });
  const operatorJwt = jwt(claims(operator, operator, { type: 'operator' }), operator);
  const limits = { subs: -1, data: -1, payload: -1 };
  const accountLimits = {
    ...limits,
    conn: -1,
    leaf: -1,
    imports: -1,
    exports: -1,
    wildcards: true,
  };
  const accountJwt = jwt(
    claims(account, operator, { type: 'account', limits: accountLimits }),
    operator,
  );
  const userJwt = jwt(claims(user, account, { type: 'user', ...limits }), account);
  const creds = [
    '-----BEGIN NATS USER JWT-----',
    userJwt,
    '------END NATS USER JWT------',
    '',
    '-----BEGIN USER NKEY SEED-----',
    new TextDecoder().decode(user.getSeed()),
    '------END USER NKEY SEED------',
  ].join('\n');
  const config = `operator: ${operatorJwt}
    resolver: MEMORY
    resolver_preload: { ${account.getPublicKey()}: ${accountJwt} }`;
  return withServer(config, async ({ url: servers }) => {
    await accepted({ servers, auth: { creds: { file: fileOf('user.creds', creds) } } });
    await refused({ servers }, 'ERR_NATS_AUTHENTICATION');
  });
});

const withoutOpenssl =
  skipped || spawnSync('openssl', ['version']).status === 0 ? undefined : 'there is no openssl';

describe.skipIf(skipped || withoutOpenssl !== undefined)(
  `TLS${withoutOpenssl === undefined ? '' : ` (skipped: ${withoutOpenssl})`}`,
  () => {
    const path = (name: string): string => join(folder, name);
    const openssl = (...args: string[]): void => {
      execFileSync('openssl', args, { stdio: 'pipe' });
    };

    /** By name: the client checks every certificate of a bare address against `localhost`. */
    const nameOf = ({ port }: { readonly port: number }): string => `nats://localhost:${port}`;

    /** `name.key` and `name.pem`, signed by `ca`; without it by itself. */
    function certificate(name: string, ca?: string): void {
      const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', path(`${name}.key`)];
      const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost'];
      if (ca === undefined) {
        openssl('req', '-x509', '-days', '2', ...key, ...subject, '-out', path(`${name}.pem`));
        return;
      }
      openssl('req', ...key, ...subject, '-out', path(`${name}.csr`));
      const signedBy = ['-CA', path(`${ca}.pem`), '-CAkey', path(`${ca}.key`), '-CAcreateserial'];
      const request = ['-in', path(`${name}.csr`), '-out', path(`${name}.pem`), '-days', '2'];
      openssl('x509', '-req', ...request, ...signedBy, '-copy_extensions', 'copy');
    }

    const serverTls = (more = ''): string => `tls {
      cert_file: "${path('server.pem')}", key_file: "${path('server.key')}",
      ca_file: "${path('ca.pem')}" ${more} }`;

    test('the authority is named; without it the server is not trusted', () => {
      certificate('ca');
      certificate('server', 'ca');
      return withServer(serverTls(), async (server) => {
        const servers = nameOf(server);
        await accepted({ servers, tls: { caFile: path('ca.pem') } });
        await refused({ servers }, 'ERR_NATS_TLS');
        await refused({ servers, tls: { caFile: path('none.pem') } }, 'ERR_NATS_TLS', 'none.pem');
      });
    });

    test('a client certificate, where the server asks for one', () => {
      certificate('client', 'ca');
      return withServer(serverTls(', verify: true'), async (server) => {
        const servers = nameOf(server);
        const caFile = path('ca.pem');
        const own = { certFile: path('client.pem'), keyFile: path('client.key') };
        await accepted({ servers, tls: { caFile, ...own } });
      });
    });

    test('handshake first', () =>
      withServer(serverTls(', handshake_first: true'), async (server) => {
        const servers = nameOf(server);
        await accepted({ servers, tls: { caFile: path('ca.pem'), handshakeFirst: true } });
      }));

    test('asked for and not offered: refused, not sent in the clear', () =>
      withServer('', async (server) => {
        const servers = nameOf(server);
        await refused({ servers, tls: {} }, 'ERR_NATS_TLS');
      }));
  },
);
