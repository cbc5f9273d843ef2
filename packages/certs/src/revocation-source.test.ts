import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseCertificates } from '@knsock/core/x509';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthority, type Authority } from './authority.js';
import {
  revocationSource,
  type RefreshingRevocationSource,
  type RevocationSourceOptions,
} from './revocation-source.js';

let folder: string;
let file: string;
let authority: Authority;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-crl-'));
  file = join(folder, 'root.crl');
  authority = await createAuthority({ commonName: 'Root' });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
  await rm(folder, { recursive: true, force: true });
});

const open = (options: Partial<RevocationSourceOptions> = {}): RefreshingRevocationSource => {
  const source = revocationSource({ crls: [file], ...options });
  cleanups.push(() => {
    source.close();
  });
  return source;
};
const { signal } = new AbortController();
const now = () => ({ at: new Date(), signal });
const issuePath = async () => {
  const { certificate } = await authority.issue({ kind: 'client', names: ['a.test'] });
  return { certificate, path: parseCertificates(certificate + authority.certificate) };
};

describe('a revocation source', () => {
  it('says good, and revoked once a new list says so, and tells its listeners', async () => {
    const { certificate, path } = await issuePath();
    const first = await authority.crl();
    await writeFile(file, first.pem);
    const source = open();
    expect(await source.check(path, now())).toEqual({ status: 'good', depth: 0, until: first.nextUpdate });
    const { version } = source;
    let changes = 0;
    const stop = source.onChange(() => (changes += 1));
    await source.refresh();
    expect(changes).toBe(0);
    await authority.revoke(certificate, 'key-compromise');
    await writeFile(file, (await authority.crl()).der);
    await source.refresh();
    expect(changes).toBe(1);
    expect(source.version).not.toBe(version);
    expect(await source.check(path, now())).toEqual({ status: 'revoked', depth: 0, reason: 'keyCompromise' });
    stop();
  });

  it('judges a resumed leaf alone by lists whose signature it has checked', async () => {
    const { path } = await issuePath();
    await writeFile(file, (await authority.crl()).pem);
    const source = open();
    expect(await source.check(path.slice(0, 1), now())).toMatchObject({ status: 'unknown' });
    await source.check(path, now());
    await source.refresh();
    expect(await source.check(path.slice(0, 1), now())).toMatchObject({ status: 'good' });
  });

  it('keeps the last good list when the file turns to garbage, and says so', async () => {
    const { path } = await issuePath();
    await writeFile(file, (await authority.crl()).pem);
    const errors: string[] = [];
    const source = open({ onError: ({ code }) => errors.push(code) });
    await source.ready();
    await writeFile(file, 'garbage');
    await expect(source.refresh()).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_MALFORMED', file });
    expect(errors).toEqual(['KNSOCK_CERTIFICATE_MALFORMED']);
    expect(await source.check(path, now())).toMatchObject({ status: 'good' });
  });

  it('never goes back to an older list', async () => {
    const { certificate, path } = await issuePath();
    const old = await authority.crl();
    await authority.revoke(certificate);
    const fresh = await authority.crl();
    await writeFile(file, fresh.pem);
    const source = open();
    await source.ready();
    await writeFile(file, old.pem);
    await source.refresh();
    expect((await source.check(path, now())).status).toBe('revoked');
  });

  it.each([
    ['refuse', 'unknown'],
    ['accept', 'good'],
  ] as const)('with stale: %s takes an outdated list as %s', async (stale, status) => {
    const { path } = await issuePath();
    await writeFile(file, (await authority.crl({ days: 1 })).pem);
    const at = new Date(Date.now() + 2 * 86_400_000);
    expect((await open({ stale }).check(path, { at, signal })).status).toBe(status);
  });

  it.each([
    ['refuse', 'unknown'],
    ['accept', 'good'],
  ] as const)('with unknown: %s takes a missing list as %s', async (unknown, status) => {
    const { path } = await issuePath();
    await writeFile(file, (await (await createAuthority({ commonName: 'Other' })).crl()).pem);
    expect((await open({ unknown }).check(path, now())).status).toBe(status);
    const missing = open({ unknown, crls: [join(folder, 'none.crl')] });
    expect((await missing.check(path, now())).status).toBe(status);
    await expect(missing.ready()).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_NOT_FOUND' });
  });

  it('takes only lists of the issuers named, where any are', async () => {
    const { path } = await issuePath();
    await writeFile(file, (await authority.crl()).pem);
    const source = open({ issuers: authority.root, crls: [pathToFileURL(file)] });
    expect(await source.check(path, now())).toMatchObject({ status: 'good' });
    await writeFile(file, (await (await createAuthority({ commonName: 'Root' })).crl()).pem);
    await expect(source.refresh()).rejects.toThrow("isn't signed by any of the issuers");
    expect(await source.check(path, now())).toMatchObject({ status: 'good' });
  });

  it('fetches over HTTP, bounded in size', async () => {
    const { path } = await issuePath();
    let body: string | Buffer = (await authority.crl()).der;
    const server = createServer((request, response) =>
      response.writeHead(request.url === '/root.crl' ? 200 : 404).end(body),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const source = open({ crls: [`http://127.0.0.1:${port}/root.crl`], maxBytes: 10_000 });
    expect(await source.check(path, now())).toMatchObject({ status: 'good' });
    body = Buffer.alloc(10_001);
    await expect(source.refresh()).rejects.toThrow('over the limit of 10,000 bytes');
    const lost = open({ crls: [`http://127.0.0.1:${port}/none.crl`] });
    await expect(lost.ready()).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_UNREACHABLE' });
  });

  it('gives up waiting for a silent server with the caller’s signal', async () => {
    const { path } = await issuePath();
    const server = createServer(() => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const source = open({ crls: [`http://127.0.0.1:${port}/`] });
    const reason = new Error('enough');
    const closing = new AbortController();
    const check = source.check(path, { at: new Date(), signal: closing.signal });
    closing.abort(reason);
    await expect(check).rejects.toBe(reason);
  });

  it('looks again by itself', async () => {
    await writeFile(file, (await authority.crl()).pem);
    const source = open({ interval: 10 });
    await source.ready();
    const changed = new Promise<void>((resolve) => source.onChange(resolve));
    await writeFile(join(folder, 'next'), (await authority.crl()).pem);
    await writeFile(file, (await authority.crl()).pem);
    await changed;
  });
});
