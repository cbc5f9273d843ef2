import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseCertificates } from '@knsock/core/x509';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAuthority, type Authority } from '../authorities/authority.js';
import { signCrl } from './crl.js';
import { CertificateError } from '../errors.js';
import { generateKey, readPrivateKey } from '../keys/keys.js';
import {
  revocationSource,
  type RefreshingRevocationSource,
  type RevocationSourceOptions,
} from './revocation-source.js';
import { readSigningAuthority } from '../issuing/signing-authority.js';
import { keyAtHand } from '../keys/signer.js';
import { x509Library } from '../x509.js';

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

/** Serves on a free port until the test ends. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
/** A list in the authority's name and with its key identifier, later than any of its own, signed by another key. */
async function forgeList(): Promise<Buffer> {
  const library = await x509Library();
  const key = keyAtHand(readPrivateKey(authority.key ?? ''));
  const { subject: issuer, keyIdentifier } = readSigningAuthority(library, authority.certificate, key);
  const [thisUpdate, nextUpdate] = [new Date(Date.now() - 1_000), new Date(Date.now() + 86_400_000)];
  const parts = {
    issuer,
    issuerKeyIdentifier: keyIdentifier,
    number: 99,
    thisUpdate,
    nextUpdate,
    revoked: [],
  };
  return (await signCrl(library, parts, keyAtHand(await generateKey()))).der;
}

describe('a revocation source', () => {
  it('notifies every listener of a new list, even if another throws', async () => {
    await writeFile(file, (await authority.crl()).pem);
    const reported: string[] = [];
    const source = open({
      onError: ({ message }) => {
        reported.push(message);
      },
    });
    await source.ready();
    const heard = new Promise<void>((resolve) => {
      source.onChange(() => {
        throw new Error('thrown');
      });
      source.onChange(() => Promise.reject(new Error('rejected')) as never);
      source.onChange(resolve);
    });
    await writeFile(file, (await authority.crl()).pem);
    await source.refresh();
    await heard;
    expect(reported).toEqual(['thrown', 'rejected']);
  });

  it.each(['http://user:secret@localhost/root.crl', 'file://elsewhere/root.crl'])(
    'fetches nothing from %s, and shows no password',
    (location) => {
      expect(() => revocationSource({ crls: [location] })).toThrow(
        expect.objectContaining({ code: 'KNSOCK_CERTIFICATE_NOT_FOUND' }) as Error,
      );
      expect(() => revocationSource({ crls: [location] })).not.toThrow(/secret/);
    },
  );

  it('reports good, then revoked once a new list says so, and notifies its listeners', async () => {
    const { certificate, path } = await issuePath();
    const first = await authority.crl();
    await writeFile(file, first.pem);
    const source = open();
    expect(await source.check(path, now())).toEqual({ status: 'good', position: 1, until: first.nextUpdate });
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
    expect(await source.check(path, now())).toEqual({
      status: 'revoked',
      position: 1,
      reason: 'keyCompromise',
    });
    stop();
  });

  it('checks a resumed leaf only against lists whose signature it has verified', async () => {
    const { path } = await issuePath();
    await writeFile(file, (await authority.crl()).pem);
    const source = open();
    expect(await source.check(path.slice(0, 1), now())).toMatchObject({ status: 'unknown' });
    await source.check(path, now());
    await source.refresh();
    expect(await source.check(path.slice(0, 1), now())).toMatchObject({ status: 'good' });
  });

  it('keeps the last valid list when the file becomes unreadable, and reports that', async () => {
    const { path } = await issuePath();
    await writeFile(file, (await authority.crl()).pem);
    const errors: string[] = [];
    const source = open({
      onError: (error) => {
        errors.push((error as Error & { code: string }).code);
      },
    });
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

  it('accepts only lists of the configured issuers, if any', async () => {
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
    const origin = await serve((request, response) =>
      response.writeHead(request.url === '/root.crl' ? 200 : 404).end(body),
    );
    const source = open({ crls: [`${origin}/root.crl`], maxBytes: 10_000 });
    expect(await source.check(path, now())).toMatchObject({ status: 'good' });
    body = Buffer.alloc(10_001);
    await expect(source.refresh()).rejects.toThrow('over the limit of 10,000 bytes');
    const lost = open({ crls: [`${origin}/none.crl`] });
    await expect(lost.ready()).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_UNREACHABLE' });
  });

  it('follows a redirect, and drops a fetch that takes too long or an answer that never ends', async () => {
    const { path } = await issuePath();
    const { der } = await authority.crl();
    const origin = await serve(({ url }, response) => {
      if (url === '/moved') return response.writeHead(302, { location: '/root.crl' }).end();
      if (url === '/root.crl') return response.end(der);
      if (url === '/silent') return undefined;
      const more = () => response.write(Buffer.alloc(65_536)) && process.nextTick(more);
      response.on('drain', more);
      return more();
    });
    const crls = ['/moved', '/silent', '/endless'].map((place) => origin + place);
    const errors: string[] = [];
    const onError = ({ message }: Error) => {
      errors.push(message);
    };
    const source = open({ crls, timeout: 1_000, maxBytes: 1_000_000, onError });
    await expect(source.ready()).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_UNREACHABLE' });
    expect(errors).toEqual([
      `can't fetch ${origin}/silent: no answer in 1000 ms`,
      `${origin}/endless is over the limit of 1,000,000 bytes`,
    ]);
    expect(await source.check(path, now())).toMatchObject({ status: 'good' });
  });

  it("isn't taken in by a forged list that is dated later", async () => {
    const { certificate, path } = await issuePath();
    await authority.revoke(certificate);
    const genuine = await authority.crl();
    const forged = await forgeList();
    await writeFile(file, forged);
    const source = open({ unknown: 'accept' });
    expect((await source.check(path, now())).status).toBe('unknown');
    await writeFile(file, genuine.pem);
    await source.refresh();
    expect((await source.check(path, now())).status).toBe('revoked');
    await writeFile(file, forged);
    await source.refresh();
    expect((await source.check(path, now())).status).toBe('revoked');
  });

  it("keeps a location's revocations when it answers with another authority's list", async () => {
    const { certificate, path } = await issuePath();
    await authority.revoke(certificate);
    await writeFile(file, (await authority.crl()).pem);
    const source = open({ unknown: 'accept' });
    expect((await source.check(path, now())).status).toBe('revoked');
    await writeFile(file, (await (await createAuthority({ commonName: 'Other' })).crl()).pem);
    await source.refresh();
    expect((await source.check(path, now())).status).toBe('revoked');
  });

  it('waits with its first results until every location was tried', async () => {
    const { path } = await issuePath();
    const { der } = await authority.crl();
    await writeFile(file, (await (await createAuthority({ commonName: 'Other' })).crl()).pem);
    let asked: (response: ServerResponse) => void = () => undefined;
    const request = new Promise<ServerResponse>((resolve) => (asked = resolve));
    const origin = await serve((_, response) => asked(response));
    const source = open({ crls: [file, origin] });
    const response = await request;
    // The other list has been read by now.
    for (let turn = 0; turn < 200; turn += 1) await setImmediate();
    const verdict = source.check(path, now());
    response.end(der);
    expect(await verdict).toMatchObject({ status: 'good' });
  });

  it("doesn't fetch more often after explicit refreshes", async () => {
    await writeFile(file, (await authority.crl()).pem);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    cleanups.push(() => vi.useRealTimers());
    const source = open();
    await source.ready();
    for (let asked = 0; asked < 5; asked += 1) await source.refresh();
    expect(vi.getTimerCount()).toBe(1);
    source.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each(['ftp://a.test/root.crl', 'http://', new URL('data:,x')])('refuses to look at %s', (location) => {
    expect(() => open({ crls: [location] })).toThrow(CertificateError);
  });

  it("stops waiting for an unresponsive server when the caller's signal fires", async () => {
    const { path } = await issuePath();
    const source = open({ crls: [await serve(() => undefined)] });
    const reason = new Error('enough');
    const closing = new AbortController();
    const check = source.check(path, { at: new Date(), signal: closing.signal });
    closing.abort(reason);
    await expect(check).rejects.toBe(reason);
  });

  it('fetches again by itself', async () => {
    await writeFile(file, (await authority.crl()).pem);
    const source = open({ interval: 10 });
    await source.ready();
    const changed = new Promise<void>((resolve) => source.onChange(resolve));
    await writeFile(join(folder, 'next'), (await authority.crl()).pem);
    await writeFile(file, (await authority.crl()).pem);
    await changed;
  });
});
