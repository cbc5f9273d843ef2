/** CAs and revocation lists in several files each. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  connect,
  createCredentials,
  listen,
  loadCredentials,
  raw,
  watchCredentials,
  type CredentialFiles,
  type Credentials,
  type CredentialsError,
} from '@knsock/core';
import { toPem } from '@knsock/core/x509';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { issueCa, makeCrlDer } from '../x509/issue.js';
import { createWorld, portOf, type World } from '../support/world.js';

let worlds: [World, World];
let folder: string;
let files: CredentialFiles;
const at = (name: string): string => path.join(folder, name);
const put = async (name: string, text: string): Promise<string> => {
  await writeFile(at(name), text);
  return at(name);
};
beforeEach(async () => {
  worlds = [await createWorld('First CA'), await createWorld('Second CA')];
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-several-'));
  const [first, second] = worlds;
  files = {
    certFile: await put('tls.crt', first.server.material.cert ?? ''),
    keyFile: await put('tls.key', first.server.material.key ?? ''),
    caFile: [await put('a.crt', first.authority.root), await put('b.crt', second.authority.root)],
    crlFile: [
      await put('a.crl', (await first.authority.crl()).pem),
      await put('b.crl', (await second.authority.crl()).pem),
    ],
  };
});
afterEach(() => rm(folder, { recursive: true }));

/** The client's name as the server knows it, or why it was refused. */
async function visit(port: number, client: Credentials): Promise<string> {
  const credentials = createCredentials({ ...client.material, ca: worlds[0].authority.root });
  const connection = await connect({ host: 'localhost', port, credentials, framing: raw() });
  try {
    return String(await connection.receive());
  } finally {
    connection.destroy();
  }
}

it('all count, each is followed, and of the clients of any CA only those on its list are refused', async () => {
  using watched = await watchCredentials(files, { interval: 60_000 });
  const options = { port: 0, host: '127.0.0.1', credentials: watched, framing: raw() };
  await using server = await listen({ ...options, clientCertificates: 'require' }, async (connection) => {
    await connection.send(connection.peer?.issuer ?? '');
  });
  const [first, second] = worlds;
  expect(await visit(portOf(server), first.client)).toBe('CN=First CA');
  expect(await visit(portOf(server), second.client)).toBe('CN=Second CA');

  await second.authority.revoke(second.client.material.cert ?? '');
  await put('b.crl', (await second.authority.crl()).pem);
  await watched.reload();
  await expect(visit(portOf(server), second.client)).rejects.toThrow();
  expect(await visit(portOf(server), first.client)).toBe('CN=First CA');
});

it.each([
  ['caFile', 'b.crt', 'the CA in'],
  ['crlFile', 'b.crl', 'the CRL in'],
])('of %s the one that is damaged is named, and the last good set stays', async (_option, name, words) => {
  using watched = await watchCredentials(files, { interval: 60_000 });
  const before = watched.current;
  await put(name, 'half-writ');
  const problem = await watched.reload().then(
    () => null,
    (error: unknown) => error as CredentialsError,
  );
  expect(problem?.message).toContain(`${words} ${at(name)} can't be read`);
  expect(problem?.file).toBe(at(name));
  expect(watched.current).toBe(before);
  await expect(loadCredentials(files)).rejects.toThrow(at(name));
});

it('a damaged list holds up no other, nor a renewed certificate, and is reported once until it changes', async () => {
  using watched = await watchCredentials(files, { interval: 3_600_000 });
  const problems: (string | undefined)[] = [];
  watched.onProblem(({ file }) => void problems.push(file));
  const [first, second] = worlds;
  const held = watched.current.crls[0]?.fingerprint256;
  await put('a.crl', 'half-writ');
  await second.authority.revoke(second.client.material.cert ?? '');
  await put('b.crl', (await second.authority.crl()).pem);
  const renewed = await first.authority.issue({ kind: 'server', names: ['localhost'] });
  await put('tls.crt', renewed.chain);
  await put('tls.key', renewed.key);
  await expect(watched.reload()).rejects.toMatchObject({ file: at('a.crl') });
  const { current } = watched;
  expect(current.crls[0]?.fingerprint256).toBe(held);
  expect(current.crls.map(({ entries }) => [...entries].length)).toEqual([0, 1]);
  expect(renewed.chain).toContain(current.certificate?.pem.slice(30, 90));
  await put('tls.crt', renewed.chain);
  await watched.reload().catch(() => undefined);
  expect(problems).toEqual([at('a.crl')]);
  await put('a.crl', 'half-written');
  await watched.reload().catch(() => undefined);
  expect(problems).toEqual([at('a.crl'), at('a.crl')]);
});

it('a certificate that is broken holds up no revocation', async () => {
  using watched = await watchCredentials(files, { interval: 3_600_000 });
  const [, second] = worlds;
  await put('tls.key', 'half-writ');
  await second.authority.revoke(second.client.material.cert ?? '');
  await put('b.crl', (await second.authority.crl()).pem);
  await expect(watched.reload()).rejects.toMatchObject({ file: at('tls.key') });
  expect(watched.current.crls.map(({ entries }) => [...entries].length)).toEqual([0, 1]);
});

it('a list that its file lost, or whose file is gone, stays in use, and that is reported', async () => {
  const [first, second] = worlds;
  await second.authority.revoke(second.client.material.cert ?? '');
  const both = [(await first.authority.crl()).pem, (await second.authority.crl()).pem];
  const crlFile = [await put('both.crl', both.join(''))];
  using watched = await watchCredentials({ ...files, crlFile }, { interval: 3_600_000 });
  const told: string[][] = [];
  watched.onWarnings((warnings) => void told.push(warnings.map(({ reason }) => reason)));
  const { version } = watched.current;
  await put('both.crl', both[0] ?? '');
  await watched.reload();
  expect([watched.current.version, watched.current.crls.length]).toEqual([version, 2]);
  await watched.reload();
  await rm(at('both.crl'));
  await expect(watched.reload()).rejects.toMatchObject({ reason: 'missing-file' });
  expect([watched.current.version, watched.current.crls.length]).toEqual([version, 2]);
  await put('both.crl', both.join(''));
  await watched.reload();
  expect(told).toEqual([['crl-missing'], []]);

  // Neither is it kept for a CA that isn't trusted any more.
  await put('both.crl', both[0] ?? '');
  await put('b.crt', first.authority.root);
  await watched.reload();
  expect([watched.current.crls.length, watched.current.warnings]).toEqual([1, []]);
});

it('a list that grows stale is reported once, and stays', async () => {
  const { authority } = worlds[1];
  const soon = new Date(Date.now() + 2_000);
  const short = makeCrlDer({
    issuer: issueCa({ subject: 'CN=Other' }),
    thisUpdate: new Date(0),
    nextUpdate: soon,
  });
  await put('b.crl', toPem('X509 CRL', short));
  using watched = await watchCredentials(files, { interval: 10 });
  const problems: (string | undefined)[] = [];
  const stale = new Promise<void>((resolve) => {
    watched.onProblem(({ reason, file }) => {
      problems.push(reason, file);
      resolve();
    });
  });
  await stale;
  await watched.reload().catch(() => undefined);
  expect(problems).toEqual(['crl-stale', at('b.crl')]);
  expect(watched.current.crls).toHaveLength(2);
  await put('b.crl', (await authority.crl()).pem);
  await watched.reload();
  expect(watched.problem).toBeNull();
});

it('the file of an older list is named, which replaces no later one', async () => {
  const [, second] = worlds;
  const before = (await second.authority.crl()).pem;
  await put('b.crl', (await second.authority.crl()).pem);
  using watched = await watchCredentials(files, { interval: 60_000 });
  await put('b.crl', before);
  const { warnings, crls } = await watched.reload();
  expect(warnings).toMatchObject([{ reason: 'crl-older', file: at('b.crl') }]);
  expect(crls).toHaveLength(3);
});

it('a list of no file, or with an empty path, is refused', async () => {
  await expect(loadCredentials({ ...files, caFile: [] })).rejects.toThrow(/^caFile must be text, or a list/);
  await expect(loadCredentials({ ...files, crlFile: [''] })).rejects.toThrow(/^crlFile must be text, or a/);
});
