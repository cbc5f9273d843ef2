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
import { afterEach, beforeEach, expect, it } from 'vitest';
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
