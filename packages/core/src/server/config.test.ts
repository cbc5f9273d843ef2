import { describe, expect, it } from 'vitest';
import { createCredentials } from '../credentials/credentials.js';
import { InvalidOptionError } from '../errors/index.js';
import { knsock, lengthPrefixed, lines, raw } from '../framing/index.js';
import { makeCertificate } from '../testing/made-certificates.js';
import { checkServerCredentials, parseListen, type ListenOptions } from './config.js';

const ca = makeCertificate({ commonName: 'CA', isAuthority: true });
const own = makeCertificate({ commonName: 'us', issuer: ca, names: ['us.test'], usage: 'server' });
const credentials = createCredentials({ cert: own.pem, key: own.keyPem });
const trusting = createCredentials({ cert: own.pem, key: own.keyPem, ca: ca.pem });
const parse = (options: Partial<ListenOptions> = {}) => parseListen({ port: 0, credentials, ...options });

describe('the options of listen', () => {
  it('have defaults', () => {
    expect(parse()).toMatchObject({
      place: { port: 0, host: '::' },
      framings: [{ name: 'knsock' }],
      protocols: ['knsock/1'],
      clientCertificates: 'none',
      unknownName: 'default',
      proxies: null,
      beforeTls: null,
      ticketSecret: undefined,
      maxLifetime: null,
      signal: null,
      initial: { sni: {}, trust: { authorize: undefined } },
    });
    expect(parse().initial.source.current).toBe(credentials);
  });

  it('are taken as they are', () => {
    const { signal } = new AbortController();
    const beforeTls = () => Promise.resolve();
    const authorize = () => true;
    const config = parse({
      host: 'localhost',
      port: 65_535,
      clientCertificates: 'require',
      unknownName: 'refuse',
      maxLifetime: 1_000,
      signal,
      beforeTls,
      authorize,
      partialChain: true,
      sni: { 'a.test': { credentials } },
      handshakeTimeout: 1_234,
      maxConnections: 7,
    });
    expect(config).toMatchObject({
      place: { port: 65_535, host: 'localhost' },
      clientCertificates: 'require',
      unknownName: 'refuse',
      maxLifetime: 1_000,
      signal,
      beforeTls,
      limits: { handshakeTimeout: 1_234 },
      admission: { maxConnections: 7 },
      initial: { sni: { 'a.test': { credentials } }, trust: { authorize, partialChain: true } },
    });
  });

  it('take a path instead of a port', () => {
    expect(parse({ port: undefined, path: './a.sock' }).place).toEqual({ path: './a.sock' });
  });

  it('take several framings that ALPN distinguishes, the most preferred first', () => {
    const { framings, protocols } = parse({ framing: [lines(), knsock()] as never });
    expect(framings.map(({ name }) => name)).toEqual(['lines', 'knsock']);
    expect(protocols).toEqual(['knsock/1']);
    expect(parse({ framing: lines() }).protocols).toEqual([]);
  });

  it('trust the proxies that they list', () => {
    const { proxies } = parse({ proxyProtocol: { from: ['192.0.2.0/24'] } });
    expect(['192.0.2.9', '198.51.100.1'].map((address) => proxies?.has(address))).toEqual([true, false]);
  });

  it.each<[string, Partial<Record<keyof ListenOptions | 'prot', unknown>>, string]>([
    ['no place', { port: undefined }, 'port'],
    ['two places', { path: './x' }, 'port'],
    ['a path that is a number', { port: undefined, path: '8080' }, 'path'],
    ['a port out of range', { port: 65_536 }, 'port'],
    ['an invalid host', { host: 7 }, 'host'],
    ['an empty list of framings', { framing: [] }, 'framing'],
    ['two framings without ALPN', { framing: [lines(), raw()] }, 'framing'],
    ['an invalid framing', { framing: [{}] }, 'framing'],
    ['an unknown requirement', { clientCertificates: 'optional' }, 'clientCertificates'],
    ['an unknown answer', { unknownName: 'ignore' }, 'unknownName'],
    ['an invalid hook', { beforeTls: 'hello' }, 'beforeTls'],
    ["proxies that aren't named", { proxyProtocol: {} }, 'proxyProtocol.from'],
    ['proxies with another option', { proxyProtocol: { from: [], form: [] } }, 'proxyProtocol.form'],
    [
      'a heartbeat that no framing has',
      { framing: lengthPrefixed(), heartbeat: { interval: 1, timeout: 1 } },
      'heartbeat',
    ],
    ['a map that is a list', { sni: [] }, 'sni'],
    ['an unknown option', { prot: 1 }, 'prot'],
  ])('refuse %s', (_what, options, option) => {
    expect(() => parse(options as never)).toThrow(expect.objectContaining({ option }) as Error);
    expect(() => parse(options as never)).toThrow(InvalidOptionError);
  });
});

describe("a server's credentials", () => {
  const check = (
    clientCertificates: Parameters<typeof checkServerCredentials>[0],
    given = trusting,
    trust: Parameters<typeof checkServerCredentials>[1] = {},
  ) => {
    checkServerCredentials(clientCertificates, trust, given);
  };
  const option = (name: string) => expect.objectContaining({ option: name }) as Error;

  it('are a certificate and its key', () => {
    expect(() => {
      check('none', credentials);
    }).not.toThrow();
    expect(() => {
      check('none', createCredentials({ ca: ca.pem }));
    }).toThrow(option('credentials'));
  });

  it("need the clients' CA where clients show certificates", () => {
    for (const demand of ['request', 'require'] as const) {
      expect(() => {
        check(demand);
      }).not.toThrow();
      expect(() => {
        check(demand, credentials);
      }).toThrow(option('clientCertificates'));
    }
  });

  it('need a root among the CAs, unless an intermediate is trusted by choice', () => {
    const leaf = makeCertificate({ commonName: 'client', issuer: ca, usage: 'client' });
    const given = createCredentials({ ...credentials.material, ca: leaf.pem });
    expect(() => {
      check('require', given);
    }).toThrow(expect.objectContaining({ code: 'KNSOCK_CREDENTIALS_WRONG_USAGE' }) as Error);
    expect(() => {
      check('require', given, { partialChain: true });
      check('none', given);
      check('require', createCredentials({ ...credentials.material, ca: [leaf.pem, ca.pem] }));
    }).not.toThrow();
  });

  it('exclude rules and pins where clients show no certificate', () => {
    expect(() => {
      check('none', trusting, { authorize: () => true });
    }).toThrow(option('authorize'));
    expect(() => {
      check('none', trusting, { pins: ['x'] });
    }).toThrow(option('pins'));
    expect(() => {
      check('require', trusting, { pins: ['x'], authorize: () => true });
    }).not.toThrow();
  });

  it("must not be a client certificate or a CA's own", () => {
    const client = makeCertificate({ commonName: 'client', issuer: ca, usage: 'client' });
    const wrong = createCredentials({ cert: client.pem, key: client.keyPem });
    expect(() => {
      check('none', wrong);
    }).toThrow(expect.objectContaining({ reason: 'wrong-usage' }) as Error);
    expect(() => {
      check('none', wrong);
    }).toThrow(/no client accepts this certificate: CN=client /);
  });

  it('must not have expired', () => {
    const to = new Date(Date.now() - 1_000);
    const old = makeCertificate({ commonName: 'old', issuer: ca, names: ['old.test'], usage: 'server', to });
    expect(() => {
      check('none', createCredentials({ cert: old.pem, key: old.keyPem }));
    }).toThrow(/expired/);
  });
});
