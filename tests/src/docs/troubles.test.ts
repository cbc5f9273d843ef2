/** The troubles of kn-sock's page, each brought about by real connections: the codes that the documents link. */
import { createAuthority, type Authority } from '@knsock/certs';
import { EasySocketError } from '@knsock/core';
import { sendSslTcpMessage, startSslTcpServer, type SslServerOptions } from '@knsock/core/kn-sock';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { stockServer, visit } from '../support/raw-tls.js';
import { hear } from '../support/heard.js';
import { readChapters } from './documents.js';

const text = readChapters('docs/migrating-from-kn-sock');

let files: CertificateFolder;
let other: Authority;
beforeAll(async () => {
  files = await createCertificateFolder();
  other = await createAuthority({ commonName: 'Other CA', days: 30 });
  await files.write('other.crt', other.root);
});
afterAll(() => files[Symbol.asyncDispose]());

const serving = async (options: SslServerOptions = {}, pair = 'server') =>
  startSslTcpServer(0, (data, _addr, connection) => connection.sendall(data), {
    host: '127.0.0.1',
    ...(options.sslContext === undefined && {
      certfile: files.at(`${pair}.crt`),
      keyfile: files.at(`${pair}.key`),
    }),
    ...options,
  });

/** The code that a client meets at a server, or the server at its start. */
async function codeOf(
  server: ReturnType<typeof serving>,
  { cafile = 'ca.crt', host = 'localhost' } = {},
): Promise<unknown> {
  try {
    await using started = await server;
    await sendSslTcpMessage(host, started.address.port, 'x', { cafile: files.at(cafile) });
    return 'none';
  } catch (error) {
    return error instanceof EasySocketError ? error.code : error;
  }
}

const issue = async (file: string, options: object): Promise<void> => {
  const { chain, key } = await files.authority.issue({
    kind: 'server',
    names: ['localhost'],
    days: 7,
    ...options,
  });
  await files.write(`${file}.crt`, chain);
  await files.write(`${file}.key`, key);
};

const troubles: Record<string, () => Promise<unknown>> = {
  KNSOCK_PEER_UNKNOWN_ISSUER: () => codeOf(serving(), { cafile: 'other.crt' }),
  KNSOCK_PEER_EXPIRED: expired,
  KNSOCK_CREDENTIALS_KEY_MISMATCH: () => codeOf(serving({ keyfile: files.at('client.key') })),
  // The user that runs the tests may read everything; nobody reads a folder.
  KNSOCK_CREDENTIALS_UNREADABLE: () => codeOf(serving({ keyfile: files.path })),
  KNSOCK_HANDSHAKE_CIPHER: () =>
    refusedHandshake({ ciphers: 'ECDHE-RSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' }),
  KNSOCK_HANDSHAKE_PROTOCOL_VERSION: () =>
    refusedHandshake({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }),
  KNSOCK_PEER_WRONG_NAME: async () => {
    await issue('elsewhere', { names: ['elsewhere.example'] });
    return codeOf(serving({}, 'elsewhere'));
  },
};

/** A server that can't do what the client wants, as it tells it. */
async function refusedHandshake(client: Parameters<typeof visit>[1]): Promise<unknown> {
  using heard = hear('knsock:failure');
  await using server = await serving();
  await visit(server.address.port, client);
  await expect.poll(() => heard.events).toHaveLength(1);
  return (heard.events[0]?.['error'] as EasySocketError).code;
}

/** No server of ours starts with an expired certificate; a bare one does. */
async function expired(): Promise<unknown> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 10 * 86_400_000 });
  const old = await files.authority
    .issue({ kind: 'server', names: ['localhost'], days: 2 })
    .finally(() => vi.useRealTimers());
  await using server = await stockServer({ cert: old.chain, key: old.key });
  const sending = sendSslTcpMessage('localhost', server.port, 'x', { cafile: files.at('ca.crt') });
  return await sending.catch((error: unknown) => (error as EasySocketError).code);
}

it.each(Object.entries(troubles))('%s comes as the document says', async (code, bringAbout) => {
  expect(await bringAbout()).toBe(code);
});

it('there are no others in the document', () => {
  const section = text.split('## Troubleshooting')[1]?.split('\n## ')[0] ?? '';
  const linked = [...section.matchAll(/errors\.md#(knsock_\w+)/g)].map(([, code = '']) => code.toUpperCase());
  expect(linked.sort()).toEqual(Object.keys(troubles).sort());
});
