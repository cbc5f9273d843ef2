/** Certificates from pebble, by both challenges. */
import { createServer } from 'node:http';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { createAuthority, keyMatches } from '@knsock/certs';
import { acmeCredentials, type AcmeOptions } from '@knsock/certs/acme';
import { connect, createCredentials, serve, type Credentials } from '@knsock/core';
import { parseCertificates } from '@knsock/core/x509';
import { expect, it, vi } from 'vitest';
import { readDocument } from '../docs/documents.js';
import { runSnippet } from '../docs/snippets.js';
import { arrangeAcme } from './acme-arrangement.js';
import type { Pebble } from './pebble.js';
import { freePort } from './program.js';

const acme = arrangeAcme();

function optionsFor(server: Pebble, changes: Partial<AcmeOptions> = {}): AcmeOptions {
  const { challenge = 'tls-alpn-01' } = changes;
  const port = challenge === 'http-01' ? server.httpPort : server.tlsPort;
  return {
    domains: ['a.example', 'b.example'],
    directory: server.directory,
    directoryCa: server.ca,
    agree: true,
    challenge,
    dir: join(acme.folder, 'acme'),
    listen: { host: '127.0.0.1', port },
    ...changes,
  };
}

const chainIn = async (dir: string) => parseCertificates(await readFile(join(dir, 'tls.crt')));
const serialIn = async (dir: string) => (await chainIn(dir))[0]?.serial;

/** Whether anything listens on a port. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

it.for(['tls-alpn-01', 'http-01'] as const)(
  'obtains a certificate by %s and keeps all it needs, keys only for their owner',
  async (challenge, context) => {
    const server = await acme.pebble(context);
    const options = optionsFor(server, { challenge });
    await using source = await acmeCredentials(options);
    const [cert, key] = await Promise.all(
      ['tls.crt', 'tls.key'].map((file) => readFile(join(options.dir, file), 'utf8')),
    );
    expect(keyMatches(cert ?? '', key ?? '')).toBe(true);
    const chain = await chainIn(options.dir);
    expect(chain[0]?.dnsNames).toEqual(['a.example', 'b.example']);
    expect(chain).toHaveLength(2);
    const { names, lastError, notAfter } = source.status();
    expect({ names, lastError, notAfter }).toEqual({
      names: ['a.example', 'b.example'],
      lastError: undefined,
      notAfter: chain[0]?.notAfter,
    });
    expect((await readdir(options.dir)).sort()).toEqual([
      ...['account.json', 'account.key', 'acme.json', 'tls.crt', 'tls.key'],
    ]);
    for (const file of ['account.key', 'tls.key'])
      expect((await stat(join(options.dir, file))).mode & 0o777).toBe(0o600);
    expect((await stat(options.dir)).mode & 0o777).toBe(0o700);
    expect(await answers(options.listen?.port ?? 0)).toBe(false);
  },
);

it.for(['tls-alpn-01', 'http-01'] as const)('certifies an IP address by %s', async (challenge, context) => {
  const server = await acme.pebble(context);
  const options = optionsFor(server, { challenge, domains: ['127.0.0.1'] });
  await using source = await acmeCredentials(options);
  expect(source.status().names).toEqual(['127.0.0.1']);
  expect((await chainIn(options.dir))[0]?.ipAddresses).toEqual(['127.0.0.1']);
});

it('certifies international names by their A-labels', async (context) => {
  const server = await acme.pebble(context);
  const options = optionsFor(server, { domains: ['Bücher.example'] });
  await using source = await acmeCredentials(options);
  expect(source.status().names).toEqual(['xn--bcher-kva.example']);
});

it.for(['p384', 'rsa2048'] as const)('certifies a key of type %s', async (keyType, context) => {
  const server = await acme.pebble(context);
  const options = optionsFor(server, { keyType });
  await using source = await acmeCredentials(options);
  const { kind } = source.current.certificate?.publicKeyInfo ?? {};
  expect(kind).toMatchObject(
    keyType === 'p384' ? { type: 'ec', curve: '1.3.132.0.34' } : { type: 'rsa', bits: 2048 },
  );
});

it('tries again where the directory refuses nonces', async (context) => {
  const server = await acme.pebble(context, { refusedNonces: 40 });
  await using source = await acmeCredentials(optionsFor(server));
  expect(source.status().lastError).toBeUndefined();
});

it('binds the account to an external one where the CA wants that', async (context) => {
  const hmacKey = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W';
  const server = await acme.pebble(context, { externalKeys: { 'kid-1': hmacKey } });
  await expect(acmeCredentials(optionsFor(server))).rejects.toMatchObject({
    code: 'KNSOCK_ACME_ACCOUNT',
    problem: 'externalAccountRequired',
  });
  const wrong = { kid: 'kid-2', hmacKey };
  await expect(acmeCredentials(optionsFor(server, { eab: wrong }))).rejects.toMatchObject({
    name: 'AcmeError',
  });
  const eab = { kid: 'kid-1', hmacKey };
  await using source = await acmeCredentials(optionsFor(server, { eab }));
  expect(source.status().lastError).toBeUndefined();
});

it('needs agreement to the terms, and says where they are', async (context) => {
  const server = await acme.pebble(context);
  await expect(acmeCredentials(optionsFor(server, { agree: false }))).rejects.toMatchObject({
    code: 'KNSOCK_ACME_TERMS',
    message: expect.stringContaining('data:text/plain,Do%20what%20thou%20wilt') as string,
  });
});

it('starts without its directory while its certificate is valid', async (context) => {
  const server = await acme.pebble(context);
  const options = optionsFor(server);
  await (await acmeCredentials(options)).close();
  const serial = await serialIn(options.dir);
  await server[Symbol.asyncDispose]();
  await using source = await acmeCredentials({ ...options, onError: () => undefined });
  expect(source.current.certificate?.serial).toBe(serial);
});

it('changes the address of its account', async (context) => {
  const server = await acme.pebble(context);
  const options = optionsFor(server);
  const errors: Error[] = [];
  const emailIn = async () =>
    (JSON.parse(await readFile(join(options.dir, 'account.json'), 'utf8')) as { email?: string }).email;
  for (const email of [undefined, 'a@b.example', 'c@d.example', undefined]) {
    await using _source = await acmeCredentials({
      ...options,
      email,
      onError: (error) => void errors.push(error),
    });
    await vi.waitFor(async () => {
      expect(await emailIn()).toBe(email);
    });
  }
  expect(errors).toEqual([]);
});

it('renews with a new key, and tells those who follow it', async (context) => {
  const server = await acme.pebble(context);
  const options = optionsFor(server);
  await using source = await acmeCredentials(options);
  const [before, account] = [source.current, await readFile(join(options.dir, 'account.json'), 'utf8')];
  const seen: Credentials[] = [];
  const end = source.onChange((next) => void seen.push(next));
  const after = await source.renew();
  end();
  expect(seen).toEqual([after]);
  expect(after.certificate?.serial).not.toBe(before.certificate?.serial);
  expect(
    after.certificate?.publicKeyInfo.der.equals(before.certificate?.publicKeyInfo.der ?? Buffer.of()),
  ).toBe(false);
  expect(await readFile(join(options.dir, 'account.json'), 'utf8')).toBe(account);
});

it('renews by itself when the certificate is due', async (context) => {
  const server = await acme.pebble(context, { validity: 60 });
  const options = optionsFor(server);
  await (await acmeCredentials(options)).close();
  const serial = await serialIn(options.dir);
  await using source = await acmeCredentials({ ...options, renewAt: 0.03 });
  const next = await new Promise<Credentials>((resolve) => source.onChange(resolve));
  expect(next.certificate?.serial).not.toBe(serial);
  expect(source.status().lastError).toBeUndefined();
});

it('orders anew for other names', async (context) => {
  const server = await acme.pebble(context);
  const options = optionsFor(server);
  await (await acmeCredentials(options)).close();
  await using source = await acmeCredentials({ ...options, domains: ['c.example'] });
  expect((await chainIn(options.dir))[0]?.dnsNames).toEqual(['c.example']);
  expect(source.status().names).toEqual(['c.example']);
});

it('explains a validation that failed by what the CA saw, and succeeds once that is fixed', async (context) => {
  const server = await acme.pebble(context);
  const options = optionsFor(server, { domains: ['a.example'] });
  const elsewhere = { host: '127.0.0.2', port: server.tlsPort };
  await expect(acmeCredentials({ ...options, listen: elsewhere })).rejects.toMatchObject({
    code: 'KNSOCK_ACME_VALIDATION',
    message: expect.stringMatching(
      /the validation of a\.example \(\w+\): Failed to connect to 127\.0\.0\.1/,
    ) as string,
  });
  await using source = await acmeCredentials(options);
  expect(source.status().lastError).toBeUndefined();
});

it.for(['tls-alpn-01', 'http-01'] as const)(
  'says which port must be open where the CA reaches nobody for %s',
  async (challenge, context) => {
    const server = await acme.pebble(context);
    const listen = { host: '127.0.0.1', port: await freePort() };
    const open = challenge === 'http-01' ? 80 : 443;
    const options = optionsFor(server, { challenge, domains: ['a.example'], listen });
    await expect(acmeCredentials(options)).rejects.toMatchObject({
      code: 'KNSOCK_ACME_VALIDATION',
      message: expect.stringContaining(
        `port ${open} of a.example must be reachable from the CA, and lead to port ${listen.port} of this machine`,
      ) as string,
      hint: expect.stringContaining(`Open port ${open}`) as string,
    });
  },
);

it('orders once for several that share a folder', async (context) => {
  const server = await acme.pebble(context);
  const options = optionsFor(server);
  const sources = await Promise.all([1, 2, 3].map(() => acmeCredentials(options)));
  for (const source of sources) acme.keep(source);
  const serials = sources.map(({ current }) => current.certificate?.serial);
  expect(new Set(serials)).toEqual(new Set([await serialIn(options.dir)]));
});

it('lets an HTTP server of the program answer', async (context) => {
  const server = await acme.pebble(context);
  const httpChallenges = new Map<string, string>();
  const seen: string[] = [];
  const web = createServer((request, response) => {
    const token = request.url?.split('/').at(-1) ?? '';
    seen.push(token);
    response.end(httpChallenges.get(token) ?? "the program's own page");
  });
  await new Promise<void>((resolve) => web.listen(server.httpPort, '127.0.0.1', resolve));
  try {
    await using source = await acmeCredentials(
      optionsFor(server, { challenge: 'http-01', domains: ['a.example'], httpChallenges }),
    );
    expect(source.status().lastError).toBeUndefined();
    expect(seen.length).toBeGreaterThan(0);
    expect(httpChallenges.size).toBe(0);
  } finally {
    web.close();
  }
});

it('says which port is taken', async (context) => {
  const server = await acme.pebble(context);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(server.httpPort, '127.0.0.1', resolve));
  try {
    await expect(acmeCredentials(optionsFor(server, { challenge: 'http-01' }))).rejects.toMatchObject({
      code: 'KNSOCK_ACME_LISTEN',
      message: expect.stringContaining(`port ${server.httpPort}`) as string,
    });
  } finally {
    other.close();
  }
});

it('refuses a directory whose certificate nobody vouches for', async (context) => {
  const server = await acme.pebble(context);
  await expect(acmeCredentials(optionsFor(server, { directoryCa: undefined }))).rejects.toMatchObject({
    code: 'KNSOCK_ACME_DIRECTORY',
    message: expect.stringMatching(/self-signed certificate|unable to/) as string,
  });
});

it('names the profiles of a directory that lacks the one asked for', async (context) => {
  const server = await acme.pebble(context);
  await expect(acmeCredentials(optionsFor(server, { profile: 'shortlived' }))).rejects.toMatchObject({
    code: 'KNSOCK_ACME_PROFILE',
    message: expect.stringContaining('it has no profiles') as string,
  });
});

it('is renewed by tls-alpn-01 on the very port that demands client certificates', async (context) => {
  const pebbled = await acme.pebble(context);
  const clients = await createAuthority({ commonName: 'Clients' });
  const caFile = join(acme.folder, 'clients.crt');
  await writeFile(caFile, clients.root);
  const source = await acmeCredentials(optionsFor(pebbled, { domains: ['a.example'], caFile }));
  acme.keep(source);
  await using server = await serve(
    { port: pebbled.tlsPort, host: '127.0.0.1', credentials: source, clientCertificates: 'require' },
    ({ payload }) => payload,
  );
  const before = source.current.certificate?.serial;
  const after = (await source.renew()).certificate?.serial;
  expect(after).not.toBe(before);
  const { chain: cert, key } = await clients.issue({ kind: 'client', commonName: 'app' });
  const credentials = createCredentials({ cert, key, ca: await pebbled.root() });
  const place = { host: '127.0.0.1', port: pebbled.tlsPort, servername: 'a.example' };
  await using client = await connect({ ...place, credentials });
  expect(String(await client.request('hello'))).toBe('hello');
  expect(client.peer?.serial).toBe(after);
  expect(server.address).toMatchObject({ port: pebbled.tlsPort });
  const stranger = createCredentials({ ca: await pebbled.root() });
  await expect(connect({ ...place, credentials: stranger })).rejects.toMatchObject({
    code: 'KNSOCK_CLIENT_CERTIFICATE_REFUSED',
  });
});

it.for([
  ['acme', 'serving db.example.com\n'],
  ['own-http', 'certified: db.example.com\n'],
] as const)('runs the program %s of the page', async ([name, stdout], context) => {
  const server = await acme.pebble(context);
  const block = new RegExp(`^\`\`\`ts pebble=${name}\\n([^]*?)^\`\`\``, 'm');
  const [, shown = ''] = block.exec(readDocument('docs/acme.md').text) ?? [];
  const code = `${shown}\nawait server.close();\nawait credentials.close();\n`;
  const ca = join(acme.folder, 'directory.crt');
  await writeFile(ca, server.ca);
  const clients = await createAuthority({ commonName: 'Clients' });
  const port = String(name === 'acme' ? server.tlsPort : server.httpPort);
  const outcome = await runSnippet(
    { name, code, output: undefined },
    {
      files: { 'clients.crt': clients.root },
      env: { PORT: port, ACME_DIRECTORY: server.directory, NODE_EXTRA_CA_CERTS: ca },
    },
  );
  expect(outcome).toEqual({ code: 0, stdout, stderr: '' });
});
