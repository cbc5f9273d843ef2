/** EST by curl and openssl, with nothing but what the page says. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openStore } from '@knsock/certs';
import { createToken, serveAuthority } from '@knsock/certs/authority-server';
import { parseCertificate } from '@knsock/core/x509';
import { expect, it } from 'vitest';
import { readDocument } from '../docs/documents.js';
import { needsTools } from './tools.js';

const run = promisify(execFile);

it('enrols and renews by curl and openssl as the page shows', async (context) => {
  needsTools(context, 'curl', 'openssl');
  const [, script] = /^```sh run=enrolment\n([^]*?)^```/m.exec(readDocument('docs/enrolment.md').text) ?? [];
  const folder = await mkdtemp(join(tmpdir(), 'knsock-est-'));
  try {
    const store = await openStore(join(folder, 'authority'));
    await store.createAuthority({ commonName: 'Example CA' });
    await using server = await serveAuthority({ store, names: ['localhost'], port: 0, host: '127.0.0.1' });
    const { id, secret } = await createToken(store.directory, { names: ['agent-7.example'] });
    await writeFile(join(folder, 'token.curl'), `user = "${id}:${secret}"\n`, { mode: 0o600 });
    const root = join(store.directory, 'ca', 'root.crt');
    const { stdout } = await run('openssl', ['x509', '-in', root, '-noout', '-fingerprint', '-sha256']);
    const port = 'port' in server.address ? server.address.port : 0;
    const env = { ...process.env, AUTHORITY: `https://localhost:${port}`, FINGERPRINT: stdout.trim() };
    await run('bash', ['-euo', 'pipefail', '-c', script ?? 'exit 1'], { cwd: folder, env });
    const [first, next] = await Promise.all(
      ['agent.crt', 'next.crt'].map((file) => readFile(join(folder, file), 'utf8')),
    );
    const certificates = [first, next].map((text) =>
      parseCertificate(text?.slice(text.indexOf('-----BEGIN')) ?? ''),
    );
    expect(certificates.map(({ dnsNames }) => dnsNames)).toEqual([['agent-7.example'], ['agent-7.example']]);
    expect(certificates[0]?.serial).not.toBe(certificates[1]?.serial);
    await run('openssl', [
      'verify',
      '-CAfile',
      join(folder, 'ca.crt'),
      '-purpose',
      'sslclient',
      join(folder, 'next.crt'),
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
