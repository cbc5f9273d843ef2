import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCredentials, type Credentials } from '../credentials/credentials.js';
import type { CredentialSource } from '../credentials/source.js';
import { channels } from '../observe/channels.js';
import { makeCertificate, makeCrl, type MadeCertificate } from '../testing/made-certificates.js';
import { crlRevocation } from '../trust/crl-revocation.js';
import type { RevocationSource } from '../trust/revocation.js';
import { parseListen, type ListenOptions } from './config.js';
import type { Rotation } from './secure-server.js';
import { TrustManager } from './trust-manager.js';

const ca = makeCertificate({ commonName: 'CA', isAuthority: true });
const made = (name: string): Credentials => {
  const own = makeCertificate({ commonName: name, issuer: ca, names: [`${name}.test`], usage: 'server' });
  return createCredentials({ cert: own.pem, key: own.keyPem, ca: ca.pem });
};
const [first, second] = [made('first'), made('second')] as [Credentials, Credentials];
const revocationOf = (...revoked: MadeCertificate[]): RevocationSource =>
  crlRevocation({ crls: [makeCrl({ issuer: ca, revoked })] });

/** A source whose credentials change on request. */
class Changing implements CredentialSource {
  current: Credentials;
  readonly listeners = new Set<(next: Credentials) => void>();

  constructor(current: Credentials) {
    this.current = current;
  }

  onChange(listener: (next: Credentials) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  change(next: Credentials): void {
    this.current = next;
    for (const listener of [...this.listeners]) listener(next);
  }
}

const managers: TrustManager[] = [];
const heard: Record<string, unknown>[] = [];
const listener = (message: unknown): void => void heard.push(message as Record<string, unknown>);
beforeEach(() => {
  subscribe(channels.rotation.name, listener);
});
afterEach(() => {
  unsubscribe(channels.rotation.name, listener);
  heard.length = 0;
  for (const manager of managers.splice(0)) manager.stop();
});

function managed(
  options: Partial<ListenOptions> = {},
  replaced: () => Promise<void> = () => Promise.resolve(),
) {
  const errors: Error[] = [];
  const config = parseListen({
    port: 0,
    credentials: first,
    clientCertificates: 'require',
    onError: (error) => void errors.push(error),
    ...options,
  });
  const counts = { replaced: 0 };
  const manager = new TrustManager(config, {
    replaced: () => {
      counts.replaced += 1;
      return replaced();
    },
    secured: () => undefined,
    failed: () => undefined,
  });
  managers.push(manager);
  return { manager, errors, counts };
}

const OPTION = expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION' }) as Error;

describe('a rotation', () => {
  it('puts new credentials in force, and resolves once live peers were verified', async () => {
    let judged!: () => void;
    const { manager, counts } = managed({}, () => new Promise((resolve) => (judged = resolve)));
    const before = manager.hosts;
    let done = false;
    const rotating = manager.rotate(second).then(() => (done = true));
    expect(manager.policyFor(null).credentials).toBe(second);
    expect(manager.hosts).not.toBe(before);
    await new Promise((resolve) => setImmediate(resolve));
    expect([done, counts.replaced, manager.rotations]).toEqual([false, 1, 1]);
    judged();
    await rotating;
    expect(heard).toEqual([{ by: 'server', ok: true, version: second.version, error: null }]);
  });

  it('replaces what is given and keeps the rest', async () => {
    const authorize = (): boolean => true;
    const { manager } = managed({ authorize, pins: [first.certificate?.spkiPin ?? ''], partialChain: true });
    const now = () => manager.policyFor(null);
    await manager.rotate({ credentials: second });
    expect(now()).toMatchObject({ authorize, credentials: second, partialChain: true });
    const other = (): boolean => false;
    await manager.rotate({ authorize: other });
    expect(now()).toMatchObject({ authorize: other, credentials: second });
    expect(now().pins?.size).toBe(1);
    await manager.rotate({ authorize: undefined, pins: undefined, credentials: undefined, sni: undefined });
    expect(now().authorize).toBe(other);
    await manager.rotate({ pins: null });
    expect([now().pins, now().authorize]).toEqual([null, other]);
    await manager.rotate({ authorize: null });
    expect(now().authorize).toBeNull();
    const revocation = revocationOf();
    await manager.rotate({ revocation });
    expect(now().revocation).toBe(revocation);
    await manager.rotate({ revocation: null });
    expect(now().revocation).toBeNull();
    expect(manager.rotations).toBe(7);
  });

  it('replaces the map of names as a whole', async () => {
    const { manager } = managed({ sni: { 'a.test': { credentials: second } } });
    expect(manager.policyFor('a.test').credentials).toBe(second);
    await manager.rotate({ sni: { 'b.test': { credentials: second } } });
    expect(manager.policyFor('a.test').credentials).toBe(first);
    expect(manager.policyFor('b.test').credentials).toBe(second);
    await manager.rotate({ sni: null });
    expect(manager.policyFor('b.test').credentials).toBe(first);
  });

  it.each<[string, unknown]>([
    ['no certificate', createCredentials({ ca: ca.pem })],
    ['another option', { partialChain: true }],
    ['an invalid map', { sni: 'a.test' }],
    [
      'two entries of one name',
      { sni: { 'a.test': { credentials: second }, 'A.test': { credentials: second } } },
    ],
    ['an entry without credentials', { sni: { 'a.test': {} } }],
    ['an entry with another option', { sni: { 'a.test': { credentials: second, pins: [] } } }],
    [
      'an entry with another demand',
      { sni: { 'a.test': { credentials: second, clientCertificates: 'maybe' } } },
    ],
    ['an invalid name', { sni: { '*': { credentials: second } } }],
    [
      'rules where no certificate is asked for',
      { sni: { 'a.test': { credentials: second, clientCertificates: 'none', authorize: () => true } } },
    ],
    ['empty pins', { pins: [] }],
    ['invalid credentials', { credentials: 'file.pem' }],
  ])('with %s changes nothing', async (_what, next) => {
    const { manager, counts } = managed();
    const { hosts } = manager;
    await expect(manager.rotate(next as Rotation)).rejects.toThrow(OPTION);
    expect([manager.hosts, manager.rotations, counts.replaced]).toEqual([hosts, 0, 0]);
  });

  it('publishes on its channel what could not be used', async () => {
    const { manager } = managed();
    await manager.rotate({ pins: [] }).catch(() => undefined);
    expect(heard).toEqual([
      {
        by: 'server',
        ok: false,
        version: first.version,
        error: expect.objectContaining({ option: 'pins' }) as Error,
      },
    ]);
  });

  it('whose verification of live peers fails reports it, and is in force nevertheless', async () => {
    const failure = new Error('judging failed');
    const { manager } = managed({}, () => Promise.reject(failure));
    await expect(manager.rotate(second)).rejects.toBe(failure);
    expect(manager.policyFor(null).credentials).toBe(second);
    expect(heard.map(({ ok }) => ok)).toEqual([true, false]);
  });
});

describe('the sources', () => {
  it('of the default, of names and of revocation are followed', async () => {
    const [all, named] = [new Changing(first), new Changing(first)];
    const revocation = { ...revocationOf(), listeners: new Set<() => void>() };
    revocation.onChange = (changed) => {
      revocation.listeners.add(changed);
      return () => revocation.listeners.delete(changed);
    };
    const { manager, counts } = managed({
      credentials: all,
      sni: { 'a.test': { credentials: named } },
      revocation,
    });
    all.change(second);
    expect(manager.policyFor(null).credentials).toBe(second);
    named.change(second);
    expect(manager.policyFor('a.test').credentials).toBe(second);
    for (const changed of [...revocation.listeners]) changed();
    await vi.waitFor(() => {
      expect(counts.replaced).toBe(3);
    });
    // Each is followed once, after any number of changes.
    expect([all, named, revocation].map(({ listeners }) => listeners.size)).toEqual([1, 1, 1]);
    manager.stop();
    expect([all, named, revocation].map(({ listeners }) => listeners.size)).toEqual([0, 0, 0]);
  });

  it('that provide unusable credentials are reported, and the last valid ones stay', async () => {
    const source = new Changing(first);
    const { manager, errors } = managed({ credentials: source });
    source.change(createCredentials({ ca: ca.pem }));
    await vi.waitFor(() => {
      expect(errors).toMatchObject([{ option: 'credentials' }]);
    });
    expect(manager.policyFor(null).credentials).toBe(first);
    source.change(second);
    expect(manager.policyFor(null).credentials).toBe(second);
  });

  it('and names that a rotation of rules leaves out stay, and are still followed', async () => {
    const source = new Changing(first);
    const { manager } = managed({ credentials: source, sni: { 'a.test': { credentials: second } } });
    await manager.rotate({ authorize: () => true });
    expect(source.listeners.size).toBe(1);
    expect(manager.policyFor('a.test').credentials).toBe(second);
  });

  it('that a rotation replaced are no longer followed', async () => {
    const source = new Changing(first);
    const { manager } = managed({ credentials: source });
    await manager.rotate({ credentials: second });
    expect(source.listeners.size).toBe(0);
  });

  it('are no longer followed once the server has stopped, also after a rotation', async () => {
    const source = new Changing(first);
    const { manager } = managed();
    manager.stop();
    await manager.rotate({ credentials: source });
    expect(source.listeners.size).toBe(0);
    expect(manager.policyFor(null).credentials).toBe(first);
  });
});

describe('an entry for a name', () => {
  it('has the default rules, its own instead, or none where it requests no certificates', () => {
    const [ours, own] = [() => true, () => false];
    const { manager } = managed({
      authorize: ours,
      sni: {
        'same.test': { credentials: second },
        'own.test': { credentials: second, authorize: own, clientCertificates: 'request' },
        'open.test': { credentials: second, clientCertificates: 'none' },
      },
    });
    const of = (name: string) => manager.policyFor(name);
    expect([of('same.test').authorize, of('own.test').authorize, of('open.test').authorize]).toEqual([
      ours,
      own,
      null,
    ]);
    expect(['same.test', 'own.test', 'open.test', 'other.test'].map((name) => of(name).required)).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(of('same.test')).toMatchObject({ usage: 'client', name: null, verify: 'chain' });
  });
});

it('checks ticket keys every ten minutes, until the server stops', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const { manager } = managed({ sni: { 'a.test': { credentials: second } } });
    const renewed = [...manager.hosts].map((context) => vi.spyOn(context, 'renewTicketKeys'));
    vi.advanceTimersByTime(600_000);
    expect(renewed.map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    manager.stop();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
