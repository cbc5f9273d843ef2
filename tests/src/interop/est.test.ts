/** EST by other programs, with nothing but what the page says. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openStore, verifyChain, type Store } from '@knsock/certs';
import { createToken, serveAuthority } from '@knsock/certs/authority-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDocument } from '../docs/documents.js';
import { needsTools } from './tools.js';

const run = promisify(execFile);
let folder: string;
let store: Store;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-est-'));
  store = await openStore(join(folder, 'authority'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

it('enrols and renews by curl and openssl as the page shows', async (context) => {
  needsTools(context, 'curl', 'openssl');
  await store.createAuthority({ commonName: 'Example CA' });
  await runAsShown('enrolment');
  await expectRenewed('ca.crt');
});

describe("strongSwan's pki", () => {
  beforeEach((context) => needsTools(context, 'pki'));

  it.each([
    ['ecdsa', 'ec'],
    ['rsa', 'rsa'],
  ])('enrols and renews a key of %s as the page shows', async (type, algorithm) => {
    await store.createAuthority({ commonName: 'Example CA' });
    await knowRoot();
    await runAsShown('strongswan', (script) => script.replace('--type ecdsa', `--type ${type}`));
    const { publicKey } = await expectRenewed('est.crt');
    expect(publicKey.asymmetricKeyType).toBe(algorithm);
  });

  it('enrols and renews where an intermediate signs', async () => {
    const root = await store.createAuthority({ commonName: 'Example Root' });
    await root.intermediate({ commonName: 'Example Issuing', file: 'issuing' });
    await knowRoot();
    const both = '--cacert est.crt --cacert est-1.crt';
    await runAsShown('strongswan', (script) => script.replaceAll('--cacert est.crt', both), 'issuing');
    await expectRenewed('est.crt', 'est-1.crt');
  });
});

it("enrols and renews by Bouncy Castle's client, which asks once without its token", async (context) => {
  const jars = ['bcpkix', 'bcprov', 'bcutil'].map((name) => `/usr/share/java/${name}.jar`);
  needsTools(context, 'java', ...jars);
  await store.createAuthority({ commonName: 'Example CA' });
  await knowRoot();
  await using server = await serveAuthority({ store, names: ['localhost'], port: 0, host: '127.0.0.1' });
  const { id, secret } = await createToken(store.directory, { names: ['agent-7.example'] });
  const address = `localhost:${'port' in server.address ? server.address.port : 0}`;
  const program = ['-cp', jars.join(':'), fileURLToPath(new URL('EstClient.java', import.meta.url))];
  const { stdout } = await run('java', [
    ...program,
    address,
    join(folder, 'ca.crt'),
    id,
    secret,
    'agent-7.example',
  ]);
  const [authorities, ...serials] = stdout.trim().split('\n');
  expect(authorities).toBe('1');
  const certified = (await store.certificates()).filter(({ names }) => names.includes('agent-7.example'));
  expect(serials.map((hex) => BigInt(`0x${hex}`))).toEqual(
    certified.map(({ serial }) => BigInt(`0x${serial}`)),
  );
});

async function knowRoot(): Promise<void> {
  await copyFile(join(store.directory, 'ca', 'root.crt'), join(folder, 'ca.crt'));
}

/** Runs a script of the page beside an authority, with a token for agent-7.example. */
async function runAsShown(
  name: string,
  changed: (script: string) => string = (script) => script,
  authority?: string,
): Promise<void> {
  const block = new RegExp(`^\`\`\`sh run=${name}\\n([^]*?)^\`\`\``, 'm');
  const [, script = 'exit 1'] = block.exec(readDocument('docs/enrolment.md').text) ?? [];
  await using server = await serveAuthority({
    store,
    authority,
    names: ['localhost'],
    port: 0,
    host: '127.0.0.1',
  });
  const { id, secret } = await createToken(store.directory, { names: ['agent-7.example'] });
  await writeFile(join(folder, 'token.curl'), `user = "${id}:${secret}"\n`, { mode: 0o600 });
  await writeFile(join(folder, 'token.pki'), `--userpass "${id}:${secret}"\n`, { mode: 0o600 });
  const root = join(store.directory, 'ca', 'root.crt');
  const { stdout } = await run('openssl', ['x509', '-in', root, '-noout', '-fingerprint', '-sha256']);
  const port = 'port' in server.address ? server.address.port : 0;
  const env = { ...process.env, AUTHORITY: `https://localhost:${port}`, FINGERPRINT: stdout.trim() };
  await run('bash', ['-euo', 'pipefail', '-c', changed(script)], { cwd: folder, env });
}

/** The certificate and its successor are both valid, and two. @returns the first */
async function expectRenewed(ca: string, ...intermediates: string[]): Promise<X509Certificate> {
  const certified = ['agent.crt', 'next.crt'].map(async (file) => {
    const verdict = await verifyChain({
      chain: { file: join(folder, file) },
      ca: { file: join(folder, ca) },
      intermediates: intermediates.map((each) => ({ file: join(folder, each) })),
      name: 'agent-7.example',
      usage: 'client',
    });
    expect(verdict.message).toMatch(/^trusted/);
    return new X509Certificate(await readFile(join(folder, file)));
  });
  const [first, next] = (await Promise.all(certified)) as [X509Certificate, X509Certificate];
  expect(first.serialNumber).not.toBe(next.serialNumber);
  return first;
}
