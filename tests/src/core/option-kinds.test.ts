import {
  connect,
  createCredentials,
  crlRevocation,
  json,
  lengthPrefixed,
  lines,
  listen,
  loadCredentials,
  watchCredentials,
  type ConnectOptions,
  type ListenOptions,
} from '@knsock/core';
import { framingRules } from '@knsock/core/testing';
import { validatePath, verifyPath } from '@knsock/core/x509';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** Values that programs without type checking pass by mistake. */
const odd: readonly unknown[] = [
  null,
  -1,
  'odd',
  '',
  7n,
  [],
  [null],
  () => 0,
  Symbol('odd'),
  { odd: 1 },
  'false',
];

const text = ['odd', 'false'];
const accepted: Readonly<Record<string, readonly unknown[]>> = {
  host: text,
  path: text,
  servername: ['', ...text],
  expectedName: text,
  beforeTls: [odd[7]],
  onRequest: [odd[7]],
  authorize: [odd[7]],
  allow: [odd[5]],
  deny: [odd[5]],
  // `node:tls` itself decides which options it has.
  tls: [odd[9]],
};

const refused = (option: string): readonly unknown[] =>
  odd.filter((value) => accepted[option]?.includes(value) !== true);
const refusal = (option: string): object => ({
  code: 'KNSOCK_INVALID_OPTION',
  option: expect.stringMatching(new RegExp(`^${option}\\b`)) as unknown,
});

const both = [
  'framing',
  'profile',
  'signal',
  'tls',
  'authorize',
  'pins',
  'revocation',
  'partialChain',
  'heartbeat',
  'handshakeTimeout',
  'idleTimeout',
  'maxMessageBytes',
];
const ofListen = [
  'host',
  'clientCertificates',
  'unknownName',
  'proxyProtocol',
  'beforeTls',
  'ticketSecret',
  'maxLifetime',
  'acceptRate',
  'allow',
  'deny',
  'maxConnectionsPerAddress',
  'maxConnectionsPerNetwork',
];
const ofConnect = [
  'host',
  'servername',
  'expectedName',
  'dangerouslySkipVerification',
  'pinsOnly',
  'resume',
  'proxyHeader',
  'onRequest',
  'connectTimeout',
];

describe("a value of the wrong kind is refused by the option's name", () => {
  it.each([...both, ...ofListen])('listen: %s', async (option) => {
    for (const value of refused(option)) {
      const options = {
        port: 0,
        host: '127.0.0.1',
        credentials: world.server,
        clientCertificates: 'require',
        [option]: value,
      } as ListenOptions;
      await expect(listen(options, () => undefined)).rejects.toMatchObject(refusal(option));
    }
  });

  it.each([...both, ...ofConnect])('connect: %s', async (option) => {
    for (const value of refused(option)) {
      const options = { port: 1, host: '127.0.0.1', [option]: value } as ConnectOptions;
      await expect(connect(options)).rejects.toMatchObject(refusal(option));
    }
  });

  it.each([null, 5, 'odd', []])('the options themselves: %j', async (value) => {
    const wrong = { code: 'KNSOCK_INVALID_OPTION', option: 'options' };
    await expect(listen(value as never, () => undefined)).rejects.toMatchObject(wrong);
    await expect(connect(value as never)).rejects.toMatchObject(wrong);
    await expect(loadCredentials(value as never)).rejects.toMatchObject(wrong);
    await expect(watchCredentials(value as never)).rejects.toMatchObject(wrong);
    expect(() => createCredentials(value as never)).toThrow(expect.objectContaining(wrong) as Error);
    expect(() => crlRevocation(value as never)).toThrow(expect.objectContaining(wrong) as Error);
  });
});

it.each<[string, object, string]>([
  ['a flag in words', { partialChain: 'false' }, 'partialChain'],
  ["one list that isn't in a list", { crls: '' }, 'crls'],
  ['a moment in words', { at: '2026-01-01' }, 'at'],
  ['no moment at all', { at: Number.NaN }, 'at'],
  ['a name that is none', { name: 7 }, 'name'],
  ['another use', { usage: 'both' }, 'usage'],
  ['no use', { usage: undefined }, 'usage'],
  ['a part of a signature', { maxSignatures: 0.5 }, 'maxSignatures'],
])('verifyPath refuses %s', async (_what, wrong, option) => {
  const options = { leaf: '', anchors: [], usage: 'server', ...wrong } as never;
  await expect(verifyPath(options)).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option });
});

describe('a misspelt option inside an option is refused', () => {
  it.each<[string, object, string]>([
    ['profile', { profile: { minVersoin: 'TLSv1.3' } }, 'profile.minVersoin'],
    ['heartbeat', { heartbeat: { interval: 1, timeout: 1, retries: 1 } }, 'heartbeat.retries'],
    ['proxyProtocol', { proxyProtocol: { form: ['127.0.0.1'] } }, 'proxyProtocol.form'],
    ['proxyProtocol without proxies', { proxyProtocol: {} }, 'proxyProtocol.from'],
    ['acceptRate', { acceptRate: { perSecond: 1, brust: 1 } }, 'acceptRate.brust'],
    [
      "a network's limit",
      { maxConnectionsPerNetwork: { limit: 1, ipv4: 8 } },
      'maxConnectionsPerNetwork.ipv4',
    ],
    ['a network without limit', { maxConnectionsPerNetwork: {} }, 'maxConnectionsPerNetwork.limit'],
    ['authorize', { clientCertificates: 'require', authorize: { commonName: ['app'] } }, 'authorize'],
    [
      'a rule that went missing',
      { clientCertificates: 'require', authorize: { commonNames: ['app'], dnsNames: undefined } },
      'authorize',
    ],
    ['an entry of sni', { sni: { 'a.test': { credential: 1 } } }, 'sni.a.test.credential'],
    ['an address as a name', { sni: { '127.0.0.1': {} } }, 'sni'],
    ["a framing that wasn't called", { framing: lines }, 'framing'],
    ['a path that Node takes for a port', { port: undefined, path: '80' }, 'path'],
  ])('%s', async (_what, wrong, option) => {
    const options = { port: 0, credentials: world.server, ...wrong } as ListenOptions;
    await expect(listen(options, () => undefined)).rejects.toMatchObject({
      code: 'KNSOCK_INVALID_OPTION',
      option,
    });
  });

  it.each<[string, (options: never) => unknown, object, string]>([
    ['verifyPath', verifyPath, { leaf: '', anchors: [], usage: 'server', crl: [] }, 'crl'],
    ['validatePath', (options) => validatePath([], options), { usage: 'server', rule: 'web' }, 'rule'],
    ['json', (options) => json(lines(), options), { scheme: {} }, 'scheme'],
    ['lengthPrefixed', lengthPrefixed, { byte: 2 }, 'byte'],
    ['framingRules', (options) => framingRules(lines(), options), { boundary: 'lost' }, 'boundary'],
    ['createCredentials', createCredentials, { passPhrase: 'x' }, 'passPhrase'],
  ])('%s', async (_what, read, wrong, option) => {
    const made = Promise.resolve().then(() => read(wrong as never));
    await expect(made).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option });
  });

  it('crlRevocation', () => {
    const misspelt = { crls: [], dept: 'chain' } as never;
    expect(() => crlRevocation(misspelt)).toThrow('there is no option dept');
  });
});

it.each([
  ['the names', { sni: 5 }, 'sni'],
  ['the rotation', 5, 'options'],
  ['a misspelt rule', { authorise: null }, 'authorise'],
])('rotate refuses an invalid value, and changes nothing: %s', async (_what, wrong, option) => {
  const sni = { 'a.test': { credentials: world.server } };
  await using server = await listen(
    { port: 0, host: '127.0.0.1', credentials: world.server, sni },
    () => undefined,
  );
  const refused = { code: 'KNSOCK_INVALID_OPTION', option };
  await expect(server.rotate(wrong as never)).rejects.toMatchObject(refused);
  expect(server.stats().rotations).toBe(0);
});

it('the longest delay that timers support is accepted', async () => {
  const longest = 2 ** 31 - 1;
  await using server = await listen(
    {
      port: 0,
      host: '127.0.0.1',
      credentials: world.server,
      handshakeTimeout: longest,
      maxLifetime: longest,
    },
    (connection) => {
      connection.onRequest(({ payload }) => payload);
    },
  );
  const warnings: Error[] = [];
  const warned = (warning: Error): unknown => warnings.push(warning);
  process.on('warning', warned);
  const { port } = server.address as { port: number };
  for (let n = 0; n < 8; n += 1) {
    const connection = await connect({
      host: 'localhost',
      port,
      credentials: world.anonymous,
      resume: false,
    });
    expect(String(await connection.request('still here'))).toBe('still here');
    await connection.close();
  }
  process.off('warning', warned);
  expect(warnings).toEqual([]);
});

it('a number for a host is the address that the system reads it as, and never a server name', async () => {
  await using server = await listen(
    { port: 0, host: '127.0.0.1', credentials: world.server, framing: lines() },
    () => undefined,
  );
  const { port } = server.address as { port: number };
  const connection = await connect({
    host: '2130706433',
    port,
    framing: lines(),
    credentials: world.anonymous,
    expectedName: '127.0.0.1',
  });
  expect(connection.tls.servername).toBeNull();
  await connection.close();
});
