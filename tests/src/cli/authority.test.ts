/** An authority that is served by the command, and its tokens. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStore } from '@knsock/certs';
import { parseToken } from '@knsock/certs/authority-server';
import { parseCrl } from '@knsock/core/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knsock, startKnsock, type Ended } from '../support/command.js';

let folder: string;
let root: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-authority-'));
  const store = await openStore(path.join(folder, 'certs'), { passphrase: 'open sesame' });
  const authority = await store.createAuthority({ commonName: 'Example Root' });
  const issuing = await authority.intermediate({ commonName: 'Issuing', file: 'issuing' });
  root = issuing.root;
  // As on a machine that signs only with an intermediate.
  await rm(path.join(folder, 'certs/ca/root.key'));
  await writeFile(path.join(folder, 'word'), 'open sesame\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const token = (...args: string[]): Promise<Ended> => knsock(['certs', 'token', ...args], { cwd: folder });

function serve(...args: string[]) {
  const passphrase = ['--store-passphrase-file', 'word'];
  return startKnsock(['certs', 'serve', '--listen', '127.0.0.1:0', '--json', ...passphrase, ...args], {
    cwd: folder,
  });
}

describe('knsock certs serve', () => {
  it('serves an intermediate with an encrypted key, prints the address, and ends cleanly', async () => {
    await using running = serve();
    const [line] = await running.says(/\{.*"event":"listening".*\}/);
    const { address, port } = JSON.parse(line) as { address: string; port: number };
    expect(address).toBe('127.0.0.1');
    const made = await token('--name', 'agent-7.example', '--json');
    const { token: word, id, secret } = JSON.parse(made.stdout) as Record<'token' | 'id' | 'secret', string>;
    expect(parseToken(word)).toMatchObject({
      ...{ id, secret }, // for EST clients that know nothing of tokens
      address: `127.0.0.1:${port}`,
      names: ['agent-7.example'],
      kind: 'client',
    });
    running.kill('SIGHUP');
    await running.says(/"event":"reloaded"/);
    running.kill('SIGTERM');
    expect((await running.ended()).code).toBe(0);
  });

  it('serves only the list over plain HTTP', async () => {
    await using running = serve('--crl-listen', '127.0.0.1:0');
    const [, url = ''] = await running.says(/its revocation list at (http:[^"]+)/);
    const list = await fetched(url);
    expect(list.status).toBe(200);
    expect(parseCrl(list.body).entries.size).toBe(0);
    for (const other of ['/', '/.well-known/est/cacerts', '/.well-known/est/simpleenroll'])
      expect((await fetched(new URL(other, url).href)).status).toBe(404);
  });

  it('reports a missing passphrase, an unavailable address, or two policies', async () => {
    const locked = await knsock(['certs', 'serve', '--listen', '127.0.0.1:0'], { cwd: folder });
    expect(locked).toMatchObject({ code: 58 });
    expect(locked.stderr).toContain('--store-passphrase-file');
    const unix = await knsock(['certs', 'serve', '--listen', 'unix:/x'], { cwd: folder });
    expect(unix).toMatchObject({ code: 2 });
    const both = ['--policy', 'x.mjs', '--policy-url', 'https://policy.example'];
    expect(await knsock(['certs', 'serve', ...both], { cwd: folder })).toMatchObject({ code: 2 });
    const open = await knsock(['certs', 'serve', '--policy-url', 'http://policy.example'], { cwd: folder });
    expect(open.stderr).toContain('a policy is asked over https:');
  });

  it("warns of a key that isn't encrypted", async () => {
    await knsock(['certs', 'ca', 'Open', '--store', 'open'], { cwd: folder });
    await using running = startKnsock(['certs', 'serve', 'open', '--listen', '127.0.0.1:0'], { cwd: folder });
    await running.says(/warning: the authority's key in open is not encrypted/);
  });
});

describe('knsock certs token', () => {
  it('prints one line, says what it is for, and keeps no secret', async () => {
    const { code, stdout, stderr } = await token('--name', 'agent-8.example', '--address', 'ca.example:9443');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^knsock1\.[\w-]+\n$/);
    expect(stderr).toMatch(/^Token [0-9a-f]{16} enrols agent-8\.example at ca\.example:9443 once, until /);
    const { secret, root: fingerprint } = parseToken(stdout);
    const { fingerprint256 } = new (await import('node:crypto')).X509Certificate(root);
    expect(fingerprint).toBe(fingerprint256.replaceAll(':', '').toLowerCase());
    expect(Buffer.from(secret, 'base64url').length * 8).toBeGreaterThanOrEqual(128);
    const journal = await readFile(path.join(folder, 'certs/tokens.jsonl'), 'utf8');
    expect(journal).not.toContain(secret);
    expect(stderr).not.toContain(secret);
  });

  it("asks for the authority's address, before it was served", async () => {
    await knsock(['certs', 'ca', 'New', '--store', 'new'], { cwd: folder });
    const { code, stderr } = await token('new', '--name', 'agent-7.example');
    expect(code).toBe(2);
    expect(stderr).toContain('--address HOST:9443');
  });

  it('lists tokens and withdraws them', async () => {
    const made = await token('--name', 'agent-9.example', '--address', 'ca.example:9443', '--json');
    const { id } = JSON.parse(made.stdout) as { id: string };
    expect((await token('--withdraw', id)).code).toBe(0);
    const { stdout } = await token('--list');
    expect(stdout).toMatch(new RegExp(`^${id}  withdrawn  0/1  client  until .*  agent-9\\.example$`, 'm'));
    expect((await token('--withdraw', 'nobody')).stderr).toContain('there is no token nobody');
    expect((await token('--list', '--withdraw', id)).code).toBe(2);
  });

  it('refuses names that no certificate could contain', async () => {
    const at = ['--address', 'ca.example:9443'];
    expect((await token(...at)).stderr).toContain('a token needs a name at least');
    expect((await token(...at, '--name', 'a b')).code).toBe(2);
    expect((await token(...at, '--uri', 'spiffe://example/{name}')).stderr).toContain('needs allow');
    expect((await token(...at, '--name', 'x', '--life', '24')).stderr).toContain('such as 90m, 24h or 7d');
  });
});

function fetched(url: string): Promise<{ status: number | undefined; body: Buffer }> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode, body: Buffer.concat(chunks) });
      });
    }).on('error', reject);
  });
}
