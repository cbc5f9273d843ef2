/** Renewal information, profiles and what becomes of failures, at a directory written for it. */
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { acmeCredentials, type AcmeCredentials, type AcmeOptions } from '@knsock/certs/acme';
import { createAuthority } from '@knsock/certs';
import type { Credentials, CredentialsWarning } from '@knsock/core';
import { credentialSourceRules } from '@knsock/core/testing';
import { parseCertificate, type X509Certificate } from '@knsock/core/x509';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startDirectory, type AcmeDirectory, type DirectoryOptions } from './acme-directory.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const inside = (from: number, to: number, more: object = {}) => {
  const [start, end] = [from, to].map((ms) => new Date(Date.now() + ms).toISOString());
  return { suggestedWindow: { start, end }, ...more };
};

let folder: string;
let errors: Error[];
const running: AsyncDisposable[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-acme-'));
  errors = [];
});
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function directory(options: DirectoryOptions = {}): Promise<AcmeDirectory> {
  const started = await startDirectory(options);
  running.push(started);
  return started;
}

async function start(
  { url, ca }: AcmeDirectory,
  changes: Partial<AcmeOptions> = {},
): Promise<AcmeCredentials> {
  const source = await acmeCredentials({
    ...{ domains: ['a.example'], directory: url, directoryCa: ca, agree: true, dir: folder },
    ...{ challenge: 'http-01', httpChallenges: new Map<string, string>() },
    onError: (error) => void errors.push(error),
    ...changes,
  });
  running.push(source);
  return source;
}

const changed = (source: AcmeCredentials) => new Promise<Credentials>((resolve) => source.onChange(resolve));
const leafIn = async (): Promise<X509Certificate> =>
  parseCertificate(
    await readFile(join(folder, 'tls.crt'), 'utf8').then(
      (pem) => pem.split(/(?<=-----END CERTIFICATE-----\n)/)[0] ?? '',
    ),
  );
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await wait(5);
};

it('renews at once where the CA suggests the past, and says what the new certificate replaces', async () => {
  let first: X509Certificate | undefined;
  const server = await directory({
    suggest: (certificate) => {
      first ??= certificate;
      return certificate.serial === first.serial
        ? inside(-2 * DAY, -DAY, { explanationURL: 'https://ca.example/incident' })
        : inside(20 * DAY, 21 * DAY);
    },
  });
  const source = await start(server);
  const next = (await changed(source)).certificate;
  expect(next?.serial).not.toBe(first?.serial);
  expect(server.orders.map(({ replaces }) => replaces !== undefined)).toEqual([false, true]);
  const daysLeft = () => (source.status().dueAt.getTime() - Date.now()) / DAY;
  await until(() => daysLeft() > 19 && daysLeft() < 21);
  expect(errors).toEqual([]);
});

it("follows its clients' lists, and tells of one that is set back although the set stays the same", async () => {
  const authority = await createAuthority({ commonName: 'Clients' });
  const [old, now] = [(await authority.crl()).pem, (await authority.crl()).pem];
  const [caFile, crlFile] = [join(folder, 'clients.crt'), join(folder, 'clients.crl')];
  await writeFile(caFile, authority.root);
  await writeFile(crlFile, old + now);
  const source = await start(await directory(), { caFile, crlFile });
  const told = new Promise<readonly CredentialsWarning[]>((resolve) => source.onWarnings(resolve));
  await writeFile(crlFile, old);
  expect(await told).toMatchObject([{ reason: 'crl-older', file: crlFile }]);
  expect(source.current.crls).toHaveLength(2);
});

it('renews once an hour at most where the CA suggests the past for ever', async () => {
  const server = await directory({ suggest: () => inside(-2 * DAY, -DAY) });
  const source = await start(server);
  await until(() => server.orders.length === 2 && source.status().dueAt.getTime() > Date.now() + 0.9 * HOUR);
  const asked = () => server.requests.filter(({ what }) => what === 'renewal-info').length;
  await until(() => asked() === 2);
  expect(server.orders).toHaveLength(2);
});

it('renews inside the window that the CA suggests, and passes on why', async () => {
  const explanationURL = 'https://ca.example/incident';
  const server = await directory({ suggest: () => inside(5 * DAY, 6 * DAY, { explanationURL }) });
  const source = await start(server);
  await until(() => source.status().explanationUrl === explanationURL);
  const { dueAt } = source.status();
  expect(dueAt.getTime()).toBeGreaterThan(Date.now() + 5 * DAY - HOUR);
  expect(dueAt.getTime()).toBeLessThan(Date.now() + 6 * DAY);
  expect(server.requests.filter(({ what }) => what === 'renewal-info')).toHaveLength(1);
});

it('falls back to the validity where there is no usable suggestion, and reports that', async () => {
  const server = await directory({ suggest: () => ({ suggestedWindow: 'soon' }) });
  const source = await start(server);
  await until(() => errors.length > 0);
  expect(errors[0]).toMatchObject({ code: 'KNSOCK_ACME_DIRECTORY' });
  expect(source.status().lastError).toBeUndefined();
  const { notBefore, notAfter } = await leafIn();
  const place =
    (source.status().dueAt.getTime() - notBefore.getTime()) / (notAfter.getTime() - notBefore.getTime());
  expect(Math.abs(place - 2 / 3)).toBeLessThan(0.03);
});

it('orders without a word of the old certificate where another order replaced that already', async () => {
  const server = await directory({ suggest: () => inside(20 * DAY, 21 * DAY) });
  const source = await start(server);
  await source.renew();
  const [, second] = server.orders;
  server.interfere = ({ what, payload }) =>
    what === 'new-order' && (payload as { replaces?: string }).replaces !== undefined
      ? { status: 409, body: JSON.stringify({ type: 'urn:ietf:params:acme:error:alreadyReplaced' }) }
      : undefined;
  await source.renew();
  expect(second?.replaces).toBeDefined();
  expect(server.orders).toHaveLength(3 + 1);
  expect(server.orders.at(-1)?.replaces).toBeUndefined();
});

it('orders by a profile, and lists those that there are where it is none of them', async () => {
  const server = await directory({ profiles: { classic: 90, shortlived: 6 } });
  await expect(start(server, { profile: 'shortlive' })).rejects.toMatchObject({
    code: 'KNSOCK_ACME_PROFILE',
    message: expect.stringContaining('it has classic, shortlived') as string,
  });
  await start(server, { profile: 'shortlived' });
  const { notBefore, notAfter } = await leafIn();
  expect(Math.round((notAfter.getTime() - notBefore.getTime()) / DAY)).toBe(6);
  expect(server.orders.map(({ profile }) => profile)).toEqual(['shortlived']);
});

it('waits until the CA may be asked again after a rate limit, and keeps what it has', async () => {
  const server = await directory({ suggest: () => inside(-2 * DAY, -DAY) });
  server.interfere = ({ what }) =>
    what === 'new-order' && server.orders.length > 1
      ? {
          status: 429,
          headers: { 'retry-after': String(5 * 3_600) },
          body: JSON.stringify({
            type: 'urn:ietf:params:acme:error:rateLimited',
            detail: 'too many certificates (5) already issued for "a.example"',
          }),
        }
      : undefined;
  const source = await start(server);
  await until(() => errors.length > 0);
  expect(errors[0]).toMatchObject({
    code: 'KNSOCK_ACME_RATE_LIMITED',
    message: expect.stringContaining('too many certificates (5) already issued') as string,
  });
  expect(source.status().lastError).toBe(errors[0]);
  expect(source.status().dueAt.getTime()).toBeGreaterThan(Date.now() + 4.9 * HOUR);
  expect(source.current.certificate?.serial).toBe((await leafIn()).serial);
});

it('has the error of a renewal that the program asked for in its status, until one succeeds', async () => {
  const server = await directory();
  const source = await start(server);
  server.interfere = ({ what }) => (what === 'new-order' ? { status: 500, body: '{}' } : undefined);
  const failure: unknown = await source.renew().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'KNSOCK_ACME_DIRECTORY' });
  expect(source.status().lastError).toBe(failure);
  server.interfere = () => undefined;
  await source.renew();
  expect(source.status().lastError).toBeUndefined();
});

it('keeps to a rate limit at the next start too, for these names, and no longer than two days', async () => {
  const server = await directory();
  let seconds = 3_600;
  server.interfere = ({ what }) =>
    what === 'new-order'
      ? {
          status: 429,
          headers: { 'retry-after': String(seconds) },
          body: JSON.stringify({ type: 'urn:ietf:params:acme:error:rateLimited', detail: 'too many' }),
        }
      : undefined;
  const refused = { code: 'KNSOCK_ACME_RATE_LIMITED', problem: 'rateLimited' };
  await expect(start(server)).rejects.toMatchObject(refused);
  const asked = server.requests.length;
  const again = await start(server).catch((error: unknown) => error as Error & { retryAt?: Date });
  expect(again).toMatchObject({
    ...refused,
    message: expect.stringMatching(/^not asked again yet: .*too many/) as string,
  });
  expect(server.requests).toHaveLength(asked);
  seconds = 999_999_999;
  const other = await start(server, { domains: ['b.example'] }).catch(
    (error: unknown) => error as typeof again,
  );
  expect(other).toMatchObject(refused);
  expect(server.requests.length).toBeGreaterThan(asked);
  const wait = ((other as { retryAt?: Date }).retryAt?.getTime() ?? 0) - Date.now();
  expect(wait / DAY).toBeGreaterThan(1.9);
  expect(wait / DAY).toBeLessThanOrEqual(2);
});

it("reports a rate limit as that where it can't be kept", async () => {
  const server = await directory();
  server.interfere = ({ what }) => {
    if (what !== 'new-order') return undefined;
    rmSync(folder, { recursive: true });
    const type = 'urn:ietf:params:acme:error:rateLimited';
    return {
      status: 429,
      headers: { 'retry-after': '3600' },
      body: JSON.stringify({ type, detail: 'enough' }),
    };
  };
  await expect(start(server)).rejects.toMatchObject({ code: 'KNSOCK_ACME_RATE_LIMITED' });
  expect(errors).toMatchObject([{ code: 'KNSOCK_CERTIFICATE_NOT_FOUND' }]);
});

it('makes the account again where the CA lost it', async () => {
  const server = await directory();
  const source = await start(server);
  server.forgetAccounts();
  await source.renew();
  expect(server.requests.filter(({ what }) => what === 'new-account')).toHaveLength(2);
  expect(server.orders).toHaveLength(2);
});

it('keeps the certificate where the CA issues another than was asked for', async () => {
  const server = await directory();
  const source = await start(server);
  const before = source.current;
  const { chain } = await server.authority.issue({ kind: 'server', names: ['a.example'] });
  server.interfere = ({ what }) => (what === 'certificate' ? { body: chain } : undefined);
  await expect(source.renew()).rejects.toMatchObject({ code: 'KNSOCK_ACME_CERTIFICATE' });
  expect(source.current).toBe(before);
  expect((await leafIn()).serial).toBe(before.certificate?.serial);
  server.interfere = () => undefined;
  expect((await source.renew()).certificate?.serial).not.toBe(before.certificate?.serial);
});

it('takes what another process renewed instead of renewing too', async () => {
  const server = await directory();
  const [one, other] = [await start(server), await start(server)];
  expect(server.orders).toHaveLength(1);
  const news = changed(other);
  await one.renew();
  expect((await news).certificate?.serial).toBe(one.current.certificate?.serial);
  expect(server.orders).toHaveLength(2);
});

it('ends its order by the signal, with its reason', async () => {
  const server = await directory();
  const stop = new AbortController();
  const reason = new Error('enough');
  server.interfere = ({ what }) => {
    if (what !== 'order') return undefined;
    stop.abort(reason);
    return { body: JSON.stringify({ status: 'processing' }) };
  };
  await expect(start(server, { signal: stop.signal })).rejects.toBe(reason);
});

describe('as a source of credentials', () => {
  const rules = credentialSourceRules(async () => {
    const source = await start(await directory());
    return { source, change: () => source.renew().then(() => undefined), close: () => source.close() };
  });
  for (const { name, check } of rules) it(name, check);
});

describe("the account's address", () => {
  const sent = (server: AcmeDirectory) => server.requests.filter(({ what }) => what === 'account');
  const restart = async (server: AcmeDirectory, email: string | undefined) => {
    await running.pop()?.[Symbol.asyncDispose]();
    return start(server, { email });
  };

  it('is sent to the CA at the start where it changed, and only then', async () => {
    const server = await directory();
    const first = await start(server, { email: 'a@b.example' });
    expect(server.contacts()).toEqual([['mailto:a@b.example']]);
    const serial = first.current.certificate?.serial;
    await restart(server, 'a@b.example');
    const second = await restart(server, 'c@d.example');
    await until(() => sent(server).length > 0);
    expect(server.contacts()).toEqual([['mailto:c@d.example']]);
    await restart(server, 'c@d.example');
    await restart(server, undefined);
    await until(() => sent(server).length > 1);
    expect(sent(server).map(({ payload }) => payload)).toEqual([
      { contact: ['mailto:c@d.example'] },
      { contact: [] },
    ]);
    expect(second.current.certificate?.serial).toBe(serial);
    expect(server.orders).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  it('that the CA refuses is reported, keeps nothing from being certified, and is sent again after a renewal', async () => {
    const server = await directory();
    await start(server);
    server.interfere = ({ what }) =>
      what === 'account'
        ? { status: 400, body: '{"type":"urn:ietf:params:acme:error:invalidContact","detail":"no"}' }
        : undefined;
    const source = await restart(server, 'a@b.example');
    await until(() => errors.length > 0);
    expect(errors).toMatchObject([{ name: 'AcmeError', problem: 'invalidContact' }]);
    expect(source.status().lastError).toBeUndefined();
    server.interfere = () => undefined;
    await source.renew();
    expect(server.contacts()).toEqual([['mailto:a@b.example']]);
    expect(server.orders).toHaveLength(2);
  });

  it('comes with the new account where the CA lost the old one', async () => {
    const server = await directory();
    await start(server);
    server.forgetAccounts();
    const source = await restart(server, 'a@b.example');
    await until(() => sent(server).length > 0);
    await source.renew();
    expect(server.contacts()).toEqual([['mailto:a@b.example']]);
    expect(errors).toEqual([]);
  });
});
