import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createCredentials } from '../credentials/credentials.js';
import { knsock, lines } from '../framing/index.js';
import { checkConnectOptions, connectConfig, parseConnect, type ConnectOptions } from './config.js';

const parse = (options: ConnectOptions) => parseConnect(options);
const tcp = (options: ConnectOptions = {}) => parse({ host: 'db.test', port: 5433, ...options });
const refusal = (option: string) =>
  expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION', option }) as Error;
const PIN = `sha256/${'A'.repeat(43)}=`;

describe('options that are given again', () => {
  const options = Object.freeze({ port: 1, pins: Object.freeze([PIN]) });

  it('are read once where the same frozen object comes', () => {
    expect(connectConfig(options)).toBe(connectConfig(options));
    expect(connectConfig({ ...options })).not.toBe(connectConfig(options));
  });

  it('are read each time where they may change', () => {
    const changing = { port: 1 };
    expect(connectConfig(changing).target).toMatchObject({ port: 1 });
    changing.port = 2;
    expect(connectConfig(changing).target).toMatchObject({ port: 2 });
    const pins = [PIN];
    const shallow = Object.freeze({ port: 1, pins });
    expect(connectConfig(shallow)).not.toBe(connectConfig(shallow));
  });

  it('follow credentials that are replaced meanwhile', () => {
    const [first, later] = [createCredentials({}), createCredentials({})];
    const credentials = { current: first, onChange: () => () => undefined };
    const frozen = Object.freeze({ port: 1, credentials });
    expect(connectConfig(frozen).trust.credentials).toBe(first);
    credentials.current = later;
    expect(connectConfig(frozen).trust.credentials).toBe(later);
    expect(connectConfig(frozen)).toBe(connectConfig(frozen));
  });

  it('are refused each time where they are wrong', () => {
    const wrong = Object.freeze({ port: 0 });
    for (const _time of [1, 2]) expect(() => connectConfig(wrong)).toThrow(refusal('port'));
    expect(() => connectConfig(undefined as never)).toThrow(refusal('options'));
  });
});

describe('the options of connect', () => {
  it('have defaults', () => {
    const config = parse({ port: 5433 });
    expect(config).toMatchObject({
      target: { kind: 'tcp', host: 'localhost', port: 5433 },
      framing: { name: 'knsock' },
      trust: { usage: 'server', required: true, name: 'localhost', verify: 'chain', partialChain: false },
      connectTimeout: 10_000,
      servername: 'localhost',
      proxyHeader: null,
      resume: true,
      requestHandler: null,
      signal: null,
    });
    expect(config.source.current.certificate).toBeNull();
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('share the credentials of those that give none', () => {
    expect(tcp().source.current).toBe(tcp().source.current);
  });

  it('follow the given credentials, and later ones by the same rules', () => {
    const [first, later] = [createCredentials({}), createCredentials({})];
    const config = tcp({ credentials: first, pins: [PIN] });
    expect(config.trust.credentials).toBe(first);
    const next = config.trustWith(later);
    expect(next.credentials).toBe(later);
    expect(next).toMatchObject({ name: 'db.test', pins: new Set([PIN]) });
  });

  it('take a signal, a handler, a framing and a deadline', () => {
    const { signal } = new AbortController();
    const onRequest = (): string => 'x';
    const config = tcp({ signal, onRequest, framing: lines(), connectTimeout: 50, resume: false });
    expect(config).toMatchObject({ signal, requestHandler: onRequest, connectTimeout: 50, resume: false });
    expect(config.framing.name).toBe('lines');
  });

  it.each<[string, object]>([
    ['prot', { port: 1, prot: 2 }],
    ['connectTimeout', { port: 1, connectTimeout: -1 }],
    ['resume', { port: 1, resume: 'yes' }],
    ['signal', { port: 1, signal: {} }],
    ['onRequest', { port: 1, onRequest: 'x' }],
    ['heartbeat', { port: 1, framing: lines(), heartbeat: { interval: 1, timeout: 1 } }],
  ])('refuse a wrong %s', (option, options) => {
    expect(() => parse(options)).toThrow(refusal(option));
  });

  it('may include a heartbeat on a framing that has frames for it', () => {
    const heartbeat = { interval: 10, timeout: 20 };
    expect(tcp({ framing: knsock(), heartbeat }).limits.heartbeat).toEqual(heartbeat);
  });

  it('are checked without connecting, with further option names known', () => {
    expect(() => {
      checkConnectOptions({ port: 1 });
    }).not.toThrow();
    expect(() => {
      checkConnectOptions({ port: 1, maxSise: 3 } as object, ['maxSize']);
    }).toThrow(/maxSize/);
  });
});

describe('where to connect', () => {
  it.each<[ConnectOptions, object]>([
    [{ port: 1 }, { kind: 'tcp', host: 'localhost', port: 1 }],
    [
      { host: '::1', port: 65_535 },
      { kind: 'tcp', host: '::1', port: 65_535 },
    ],
    [
      { path: '/run/a.sock', expectedName: 'a.test' },
      { kind: 'path', path: '/run/a.sock' },
    ],
  ])('%o means %o', (options, target) => {
    expect(parse(options).target).toEqual(target);
  });

  it('may be an existing socket', () => {
    const socket = new PassThrough();
    expect(parse({ socket, expectedName: 'a.test' }).target).toEqual({ kind: 'socket', socket });
  });

  it.each<[string, object]>([
    ['port', {}],
    ['port', { host: 'a.test' }],
    ['port', { port: 0 }],
    ['port', { port: 65_536 }],
    ['port', { port: 1, path: '/run/a.sock' }],
    ['port', { port: 1, socket: new PassThrough() }],
    ['port', { path: '/run/a.sock', socket: new PassThrough() }],
    ['host', { host: 'a.test:8443', port: 1 }],
    ['host', { host: '[::1]', port: 1 }],
    ['socket', { socket: {}, expectedName: 'a' }],
    ['path', { path: '', expectedName: 'a' }],
    ['path', { path: `/${'a'.repeat(200)}`, expectedName: 'a' }],
  ])('is refused by %s: %o', (option, options) => {
    expect(() => parse(options)).toThrow(refusal(option));
  });
});

describe('the name to request', () => {
  it.each<[string, ConnectOptions, string]>([
    ['the host', {}, 'db.test'],
    ['what was given instead', { servername: 'other.test' }, 'other.test'],
    ['none where requested', { servername: '' }, ''],
    ['none for an IPv4 address', { host: '192.0.2.1' }, ''],
    ['none for an IPv6 address', { host: '2001:db8::1' }, ''],
    ['none for an address written as a number', { host: '3221225985' }, ''],
    ["a name without the root's dot", { host: 'db.test.' }, 'db.test'],
    ['a name in its ASCII form', { host: 'münchen.example' }, 'xn--mnchen-3ya.example'],
  ])('is %s', (_, options, servername) => {
    expect(tcp(options).servername).toBe(servername);
  });

  it.each(['a.test/x', 'a.test?x', 'a%2etest', 'a.test\\x', 'a\ttest', 'ä.test/x'])(
    'is never a part of %j',
    (servername) => {
      expect(() => tcp({ servername })).toThrow(refusal('servername'));
    },
  );

  it('must be a host name', () => {
    expect(() => tcp({ servername: 'a b' })).toThrow(refusal('servername'));
  });
});

describe('the name to expect', () => {
  it.each<[string, ConnectOptions, string | null]>([
    ['the host', {}, 'db.test'],
    ['the name that was asked for', { servername: 'other.test' }, 'other.test'],
    ['the one that was given', { servername: 'other.test', expectedName: 'third.test' }, 'third.test'],
    ['the host where no name is asked for', { servername: '' }, 'db.test'],
    ['the address', { host: '192.0.2.1' }, '192.0.2.1'],
    ['the address that was asked for as a name', { servername: '192.0.2.9' }, '192.0.2.9'],
    ['a name in its ASCII form', { host: 'münchen.example' }, 'xn--mnchen-3ya.example'],
    ['none where requested', { expectedName: { dangerouslyAnyName: true } }, null],
  ])('is %s', (_, options, name) => {
    expect(tcp(options).trust.name).toBe(name);
  });

  it.each<object>([{ dangerouslyAnyName: false }, {}, null as never])("can't be %o", (expectedName) => {
    expect(() => tcp({ expectedName } as ConnectOptions)).toThrow(refusal('expectedName'));
  });

  it('must be given for a Unix socket, unless nothing or only a pin is verified', () => {
    const path = '/run/a.sock';
    expect(() => parse({ path })).toThrow(refusal('expectedName'));
    expect(parse({ path, servername: 'a.test' }).trust.name).toBe('a.test');
    expect(parse({ path, dangerouslySkipVerification: true }).trust.name).toBeNull();
    expect(parse({ path, pinsOnly: true, pins: [PIN] }).trust.name).toBeNull();
  });
});

describe('how the server is verified', () => {
  it.each<[ConnectOptions, string]>([
    [{}, 'chain'],
    [{ pins: [PIN] }, 'chain'],
    [{ pinsOnly: true, pins: [PIN] }, 'pins'],
    [{ dangerouslySkipVerification: true }, 'nothing'],
    [{ dangerouslySkipVerification: true, pinsOnly: true, pins: [PIN] }, 'pins'],
  ])('%o: by %s', (options, verify) => {
    expect(tcp(options).trust.verify).toBe(verify);
  });

  it('pinsOnly needs pins', () => {
    expect(() => tcp({ pinsOnly: true })).toThrow(refusal('pinsOnly'));
  });
});

it("encodes a PROXY header once, and refuses one that can't be encoded", () => {
  const proxyHeader = {
    source: { address: '192.0.2.1', port: 1 },
    destination: { address: '192.0.2.2', port: 2 },
  };
  expect(tcp({ proxyHeader }).proxyHeader).toBeInstanceOf(Buffer);
  expect(() => tcp({ proxyHeader: 'x' as never })).toThrow(
    expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION' }),
  );
});
