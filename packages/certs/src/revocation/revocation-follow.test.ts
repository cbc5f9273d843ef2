/** Lists refreshed over HTTP: transferred only if they changed, and cached for the next start. */
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCertificates, type X509Certificate } from '@knsock/core/x509';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createAuthority, type Authority } from '../authorities/authority.js';
import { revocationSource, type RefreshingRevocationSource } from './revocation-source.js';

let authority: Authority;
let server: Server;
let url: string;
let cacheDir: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let asked: IncomingMessage['headers'][];
const sources: RefreshingRevocationSource[] = [];

beforeEach(async () => {
  authority = await createAuthority({ commonName: 'CA' });
  cacheDir = await mkdtemp(join(tmpdir(), 'knsock-lists-'));
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.headers);
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ca.crl`;
});
afterEach(async () => {
  for (const source of sources.splice(0)) source.close();
  server.close();
  server.closeAllConnections();
  await rm(cacheDir, { recursive: true, force: true });
});

function follow(options: { interval?: number; cacheDir?: string } = {}): RefreshingRevocationSource {
  const source = revocationSource({ crls: [url], onError: () => undefined, ...options });
  sources.push(source);
  return source;
}

/** Serves the list with an ETag, as a server with conditional requests does. */
function serving(list: string, tag: string, headers: Record<string, string> = {}): void {
  answer = (request, response) => {
    const isKnown = request.headers['if-none-match'] === tag;
    response.writeHead(isKnown ? 304 : 200, { etag: tag, ...headers }).end(isKnown ? undefined : list);
  };
}

async function isRevoked(
  source: RefreshingRevocationSource,
  path: readonly X509Certificate[],
): Promise<boolean> {
  const { signal } = new AbortController();
  return (await source.check(path, { at: new Date(), signal })).status === 'revoked';
}

async function issued(): Promise<{ pem: string; path: X509Certificate[] }> {
  const { certificate } = await authority.issue({ kind: 'client', commonName: 'x' });
  return { pem: certificate, path: parseCertificates(certificate + authority.certificate) };
}

it('sends the ETag of its list, and keeps the list if nothing changed', async () => {
  const { pem, path } = await issued();
  await authority.revoke(pem);
  serving((await authority.crl()).pem, '"1"');
  const source = follow();
  await source.ready();
  await source.refresh();
  expect(asked.map((headers) => headers['if-none-match'])).toEqual([undefined, '"1"']);
  expect(await isRevoked(source, path)).toBe(true);
});

it("loads a new list as soon as the server's cache lifetime is over", async () => {
  const { pem, path } = await issued();
  serving((await authority.crl()).pem, '"1"', { 'cache-control': 'max-age=0' });
  const source = follow();
  await source.ready();
  expect(await isRevoked(source, path)).toBe(false);
  await authority.revoke(pem);
  const changed = new Promise<void>((resolve) => source.onChange(resolve));
  serving((await authority.crl()).pem, '"2"');
  await changed;
  expect(await isRevoked(source, path)).toBe(true);
});

it('refuses "unchanged" from a server that wasn\'t asked whether something changed', async () => {
  answer = (_request, response) => response.writeHead(304).end();
  await expect(follow().ready()).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_UNREACHABLE' });
});

it('knows after a restart what was revoked, with the server unreachable, and continues where it was', async () => {
  const { pem, path } = await issued();
  await authority.revoke(pem);
  serving((await authority.crl()).pem, '"1"');
  const before = follow({ cacheDir });
  await before.ready();
  before.close();
  answer = (_request, response) => response.writeHead(503).end();
  const after = follow({ cacheDir });
  expect(await isRevoked(after, path)).toBe(true);
  await expect(after.ready()).rejects.toThrow('503');
  expect(asked.at(-1)?.['if-none-match']).toBe('"1"');
});

it(
  "decides after a restart by the cached lists, if the server doesn't answer",
  { timeout: 9_000 },
  async () => {
    const { pem, path } = await issued();
    await authority.revoke(pem);
    serving((await authority.crl()).pem, '"1"');
    const before = follow({ cacheDir });
    await before.ready();
    before.close();
    answer = () => undefined;
    const after = follow({ cacheDir });
    // The fetch goes on for ten seconds.
    expect(await isRevoked(after, path)).toBe(true);
    let isTried = false;
    const tried = after.ready().finally(() => (isTried = true));
    await Promise.resolve();
    expect(isTried).toBe(false);
    after.close();
    await expect(tried).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_UNREACHABLE' });
  },
);

it('never replaces a newer list by an older one, from the folder or from the server', async () => {
  const { pem, path } = await issued();
  const old = await authority.crl();
  await authority.revoke(pem);
  const young = await authority.crl();
  serving(young.pem, '"2"');
  const first = follow({ cacheDir });
  await first.ready();
  expect(await isRevoked(first, path)).toBe(true);
  await first.refresh();
  first.close();
  serving(old.pem, '"1"');
  const second = follow({ cacheDir });
  expect(await isRevoked(second, path)).toBe(true);
  await second.ready();
  expect(await isRevoked(second, path)).toBe(true);
});

it('trusts no list in the folder that no issuer has signed, and skips a damaged one', async () => {
  const { path } = await issued();
  const stranger = await createAuthority({ commonName: 'CA' });
  await stranger.revoke((await stranger.issue({ kind: 'client', commonName: 'y' })).certificate);
  serving((await authority.crl()).pem, '"1"');
  const first = follow({ cacheDir });
  await first.ready();
  first.close();
  const [file = ''] = await readdir(cacheDir);
  const kept = await readFile(join(cacheDir, file), 'utf8');
  for (const text of [
    `${kept.split('\n', 1).join('')}\n${(await stranger.crl()).pem}`,
    kept.slice(0, -90),
    'nonsense',
    '',
  ]) {
    await writeFile(join(cacheDir, file), text);
    serving((await authority.crl()).pem, `"${text.length} bytes"`);
    const source = follow({ cacheDir });
    await source.ready();
    expect(await isRevoked(source, path)).toBe(false);
    source.close();
  }
});
