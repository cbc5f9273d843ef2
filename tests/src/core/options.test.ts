import { connect, createCredentials, knsock, lines, listen, raw, type ListenOptions } from '@knsock/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** Options of `node:tls` that our own options replace. */
const decidedElsewhere = [
  'rejectUnauthorized',
  'checkServerIdentity',
  'requestCert',
  'SNICallback',
  'ALPNProtocols',
  'ALPNCallback',
  'ticketKeys',
  'sessionIdContext',
  'session',
  'pskCallback',
  'socket',
  'onread',
  'secureContext',
  'minVersion',
  'ciphers',
  'ca',
];

describe('the tls option', () => {
  it.each(decidedElsewhere)('refuses %s and names its replacement', async (option) => {
    const tls = { [option]: undefined };
    const refusal = { code: 'KNSOCK_INVALID_OPTION', option: `tls.${option}` };
    await expect(listen({ port: 0, credentials: world.server, tls }, () => undefined)).rejects.toMatchObject(
      refusal,
    );
    await expect(connect({ port: 1, tls })).rejects.toMatchObject(refusal);
  });

  it('passes on what is safe', async () => {
    const tls = { sessionTimeout: 60 };
    await using server = await listen(
      { port: 0, host: '127.0.0.1', credentials: world.server, tls },
      () => undefined,
    );
    expect(server.address).toMatchObject({ address: '127.0.0.1' });
  });
});

describe('listen refuses', () => {
  it.each<[string, (world: World) => object, string]>([
    ["an option that doesn't exist", () => ({ prot: 1 }), 'prot'],
    ['neither a port nor a path', () => ({ port: undefined }), 'port'],
    ['both', () => ({ path: '/nowhere' }), 'port'],
    ['a port out of range', () => ({ port: 65_536 }), 'port'],
    ['no certificate', () => ({ credentials: createCredentials({}) }), 'credentials'],
    [
      'client certificates without a CA to judge them by',
      ({ server }) => ({
        clientCertificates: 'require',
        credentials: createCredentials({ ...server.material }),
      }),
      'clientCertificates',
    ],
    [
      "rules for certificates that it doesn't ask for",
      () => ({ authorize: { commonNames: ['a'] } }),
      'authorize',
    ],
    ["two framings that can't be distinguished", () => ({ framing: [raw(), lines()] }), 'framing'],
    ['no framing at all', () => ({ framing: [] }), 'framing'],
    ["a time that isn't one", () => ({ handshakeTimeout: -1 }), 'handshakeTimeout'],
    ["a size that isn't one", () => ({ maxMessageBytes: 1.5 }), 'maxMessageBytes'],
    ['half a heartbeat', () => ({ heartbeat: { interval: 5 } }), 'heartbeat'],
    ["ciphers that OpenSSL doesn't know", () => ({ profile: { ciphers: 'NONSENSE' } }), 'profile.ciphers'],
    ["groups that OpenSSL doesn't know", () => ({ profile: { groups: 'P-257' } }), 'profile.groups'],
    [
      'versions the wrong way round',
      () => ({ profile: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' } }),
      'profile.minVersion',
    ],
    ['TLS 1.1', () => ({ profile: { minVersion: 'TLSv1.1' } }), 'profile.minVersion'],
  ])('%s', async (_, wrong, option) => {
    const options = {
      port: 0,
      host: '127.0.0.1',
      credentials: world.server,
      ...wrong(world),
    } as ListenOptions;
    await expect(listen(options, () => undefined)).rejects.toMatchObject({
      code: 'KNSOCK_INVALID_OPTION',
      option,
    });
  });

  it('an expired certificate, which no client could accept', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 10 * 86_400_000 });
    const { chain, key } = await world.authority
      .issue({ kind: 'server', names: ['localhost'], days: 2 })
      .finally(() => vi.useRealTimers());
    const credentials = createCredentials({ cert: chain, key });
    expect(credentials.warnings).toMatchObject([{ reason: 'expired' }]);
    await expect(listen({ port: 0, credentials }, () => undefined)).rejects.toMatchObject({
      code: 'KNSOCK_CREDENTIALS_EXPIRED',
    });
  });
});

describe('connect refuses', () => {
  it.each<[string, object, string]>([
    ["an option that doesn't exist", { port: 1, prot: 1 }, 'prot'],
    ['neither a port nor a path nor a socket', {}, 'port'],
    ['port 0', { port: 0 }, 'port'],
    ['a path without a name to expect', { path: '/nowhere' }, 'expectedName'],
    ['any name without the word that warns', { port: 1, expectedName: {} }, 'expectedName'],
    ['pins alone without pins', { port: 1, pinsOnly: true }, 'pinsOnly'],
    ["a pin that isn't one", { port: 1, pins: ['abc'] }, 'pins'],
  ])('%s', async (_, options, option) => {
    await expect(connect(options)).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option });
  });
});

describe('heartbeat', () => {
  it.each([
    ['knsock', knsock(), true],
    ['lines', lines(), false],
  ] as const)('is for the knsock framing only: %s', async (_, framing, fits) => {
    const attempt = listen(
      {
        port: 0,
        host: '127.0.0.1',
        credentials: world.server,
        framing,
        heartbeat: { interval: 1_000, timeout: 1_000 },
      },
      () => undefined,
    );
    if (fits) await (await attempt).close();
    else await expect(attempt).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option: 'heartbeat' });
  });
});

describe("an option that doesn't exist", () => {
  const listening = (options: object) =>
    listen({ port: 0, credentials: world.server, ...options }, () => undefined);
  const promised = () => Promise.resolve(world.server);

  it.each<[string, () => unknown, RegExp]>([
    [
      'clientCertificate',
      () => listening({ clientCertificate: 'require' }),
      /did you mean clientCertificates\?/,
    ],
    ['heartbeat.intervall', () => listening({ heartbeat: { intervall: 1 } }), /did you mean interval\?/],
    ['cert', () => listen({ port: 0, cert: 'x' } as never, () => undefined), /createCredentials\(\{/],
    ['rejectUnauthorized', () => connect({ port: 1, rejectUnauthorized: false } as never), /dangerouslySkip/],
    [
      'delimiter',
      () => (lines as (options: object) => unknown)({ delimiter: '|' }),
      /there is no option delimiter/,
    ],
    ['options', () => (raw as (options: unknown) => unknown)(5), /must be an object, not 5/],
    ['maxConnections', () => listening({ maxConnections: Promise.resolve(5) }), /forget await/],
    ['credentials', () => listening({ credentials: promised() }), /a promise here: write await before/],
    ['credentials', () => connect({ port: 1, credentials: promised() as never }), /write await before/],
    ['credentials', () => listening({ sni: { a: { credentials: promised() } } }), /write await before/],
    [
      'credentials',
      () => listening({ credentials: { cert: 'x', key: 'y' } }),
      /createCredentials\(\{ cert, key \}/,
    ],
    [
      'credentials',
      () => listening({ credentials: { certFile: 'x' } }),
      /await loadCredentials\(\{ certFile \}/,
    ],
  ])('%s is refused with a suggestion', async (option, give, words) => {
    const error = await Promise.resolve()
      .then(give)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option });
    expect((error as Error).message).toMatch(words);
  });

  it('is refused in calls too', async () => {
    await using server = await listening({});
    await expect(server.close({ timeout: 5 } as never)).rejects.toThrow(/did you mean deadline/);
  });
});
