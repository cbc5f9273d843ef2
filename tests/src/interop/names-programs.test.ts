/** Ordinary clients reach the name they ask for, new and resumed, where names are read before TLS. */
import { execFile } from 'node:child_process';
import { createCredentials, lines, listen, type SecureServer } from '@knsock/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { portOf } from '../support/world.js';
import { needsTools } from './tools.js';

const NAME = 'named.test';

let folder: CertificateFolder;
let server: SecureServer;
let port: number;
beforeAll(async () => {
  folder = await createCertificateFolder();
  const issue = async (name: string) => {
    const { chain, key } = await folder.authority.issue({ kind: 'server', names: [name], days: 7 });
    return createCredentials({ cert: chain, key });
  };
  const options = { port: 0, host: '127.0.0.1', framing: lines(), unknownName: 'refuse' } as const;
  const credentials = await issue('localhost');
  // Of the usual groups only this one: most clients are asked for a second ClientHello.
  const profile = { groups: 'P-384:P-256' };
  const sni = { [NAME]: { credentials: await issue(NAME) } };
  server = await listen({ ...options, credentials, profile, sni }, (connection) => {
    connection.write(`${connection.tls.servername ?? 'no name'}${connection.tls.resumed ? ', resumed' : ''}`);
    void connection.close();
  });
  port = portOf(server);
});
afterAll(async () => {
  await server.close();
  await folder[Symbol.asyncDispose]();
});

/** What a program prints. */
function output(program: string, ...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: 10_000 }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
    // Those that end with their input end with the connection instead.
    child.stdin?.on('error', () => undefined);
  });
}

describe.each(['1.2', '1.3'])('over TLS %s', (version) => {
  it('openssl, new and resumed', async (context) => {
    needsTools(context, 'openssl');
    const session = folder.at(`session-${version}`);
    const tls = `-tls${version.replace('.', '_')}`;
    const visit = (...more: string[]) =>
      output(
        'openssl',
        's_client',
        '-connect',
        `127.0.0.1:${port}`,
        '-servername',
        NAME,
        tls,
        '-ign_eof',
        ...more,
      );
    expect(await visit('-sess_out', session)).toContain(`${NAME}\n`);
    expect(await visit('-sess_in', session)).toContain(`${NAME}, resumed\n`);
    expect(await visit('-groups', 'X25519:P-384:P-256')).toContain(`${NAME}\n`);
  });

  it('curl', async (context) => {
    needsTools(context, 'curl');
    const only = ['--tlsv1.2', ...(version === '1.2' ? ['--tls-max', '1.2'] : [])];
    const to = ['--resolve', `${NAME}:${port}:127.0.0.1`, '--cacert', folder.at('ca.crt')];
    const printed = await output('curl', '-sS', '--http0.9', ...only, ...to, `https://${NAME}:${port}/`);
    expect(printed).toContain(NAME);
  });

  it('gnutls-cli', async (context) => {
    needsTools(context, 'gnutls-cli');
    const priority = `NORMAL:-VERS-ALL:+VERS-TLS${version}`;
    const who = ['--sni-hostname', NAME, '--verify-hostname', NAME, '--x509cafile', folder.at('ca.crt')];
    const printed = await output(
      'gnutls-cli',
      '--priority',
      priority,
      ...who,
      '-p',
      String(port),
      '127.0.0.1',
    );
    expect(printed).toContain(`\n${NAME}\n`);
  });
});
