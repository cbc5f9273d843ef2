/** The openssl recipes of docs/migrating-from-kn-sock/certificates.md, run as they stand, and what the page's own lack. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { UntrustedPeerError } from '@knsock/core';
import { sendSslTcpMessage, startSslTcpServer } from '@knsock/core/kn-sock';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readDocument } from '../docs/documents.js';
import { needsTools } from './tools.js';

const run = promisify(execFile);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-recipe-'));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (name: string): string => path.join(folder, name);

/** The commands of a document in the blocks with that beginning, joined. */
function commands(document: string, info: string): string {
  const { text } = readDocument(document);
  const found = [...text.matchAll(new RegExp(`^\`\`\`${info}\n([^]*?)^\`\`\``, 'gm'))].map(
    ([, code]) => code,
  );
  if (found.length === 0) throw new Error(`${document} has no ${info}`);
  return found.join('');
}

const shell = (script: string) => run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder });

async function talk(cafile: string, mutual: boolean): Promise<string> {
  await using server = await startSslTcpServer(
    0,
    (_data, _addr, connection) =>
      connection.sendall(`hello ${connection.peer?.commonNames[0] ?? 'stranger'}`),
    {
      certfile: at('server.crt'),
      keyfile: at('server.key'),
      ...(mutual && { cafile: at('ca.crt'), requireClientCert: true }),
    },
  );
  const reply = await sendSslTcpMessage('localhost', server.address.port, 'x', {
    cafile: at(cafile),
    ...(mutual && { certfile: at('client.crt'), keyfile: at('client.key') }),
  });
  return String(reply);
}

it('the self-signed one makes a certificate that clients trust by itself', async (context) => {
  needsTools(context, 'openssl', 'bash');
  await shell(commands('docs/migrating-from-kn-sock/certificates.md', 'sh recipe=self-signed'));
  expect(await talk('server.crt', false)).toBe('hello stranger');
});

it('those with a CA make a server and a client that know each other', async (context) => {
  needsTools(context, 'openssl', 'bash');
  await shell(commands('docs/migrating-from-kn-sock/certificates.md', 'sh recipe=ca-signed'));
  expect(await talk('ca.crt', true)).toBe('hello alice');
});

it("the page's own lack the name: no client accepts their server", async (context) => {
  needsTools(context, 'openssl', 'bash');
  const [selfSigned = ''] = commands('tests/corpora/kn-sock/secure-tcp.md', 'bash').split('# Generate CA');
  await shell(selfSigned.replace(/^openssl req.*$/gm, '$& -subj /CN=localhost'));
  const refused = await talk('server.crt', false).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(UntrustedPeerError);
  expect(refused).toMatchObject({ code: 'KNSOCK_PEER_WRONG_NAME' });
  const { stdout } = await shell('openssl x509 -in server.crt -noout -text');
  expect(stdout).not.toContain('Subject Alternative Name');
  const { stdout: openssl } = await shell('openssl version');
  if (openssl.startsWith('OpenSSL 3.0')) expect(stdout).toContain('Version: 1 ');
});
