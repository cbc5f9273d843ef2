/** ACME servers that validate names by tls-alpn-01 (RFC 8737) on the port of a server, and clients that try to get in that way. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, get } from 'node:https';
import { connect as tcpConnect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect, type ConnectionOptions } from 'node:tls';
import {
  createCredentials,
  lines,
  listen,
  writeProxyHeader,
  type AlpnChallenge,
  type Credentials,
  type CredentialSource,
  type ListenOptions,
  type SecureServer,
} from '@knsock/core';
import { serveHttp } from '@knsock/core/http';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { clientHello } from '../support/client-hello.js';
import { hear } from '../support/heard.js';
import { bare, ticketOf, versions, visit, type Visit } from '../support/raw-tls.js';
import { before, rewriting, split } from '../support/rewritten-hello.js';
import { createWorld, portOf, type World } from '../support/world.js';

const NAME = 'new.test';
const ACME = 'acme-tls/1';

let world: World;
let challenge: AlpnChallenge;
let other: AlpnChallenge;
beforeAll(async () => {
  world = await createWorld();
  [challenge, other] = await Promise.all([challengeOf(NAME), challengeOf(NAME)]);
});

async function challengeOf(name: string): Promise<AlpnChallenge> {
  const { chain, key } = await world.authority.issue({
    kind: 'server',
    names: [name, 'challenge.test'],
    days: 1,
  });
  return { cert: chain, key };
}

/** Credentials that answer validations, and the names that they were asked for. */
class Answering implements CredentialSource {
  readonly asked: string[] = [];
  current: Credentials;
  readonly #answer: (name: string) => unknown;
  #listener: ((next: Credentials) => void) | null = null;

  constructor(current: Credentials, answer: (name: string) => unknown) {
    this.current = current;
    this.#answer = answer;
  }

  challengeFor(name: string): AlpnChallenge | undefined {
    this.asked.push(name);
    return this.#answer(name) as AlpnChallenge | undefined;
  }

  onChange(listener: (next: Credentials) => void): () => void {
    this.#listener = listener;
    return () => undefined;
  }

  change(next: Credentials): void {
    this.current = next;
    this.#listener?.(next);
  }
}

const answering = (answer: (name: string) => unknown = (name) => (name === NAME ? challenge : undefined)) =>
  new Answering(world.server, answer);

interface Listening {
  readonly server: SecureServer;
  readonly port: number;
  /** The connections that the program got. */
  readonly handled: string[];
  readonly errors: Error[];
}

/** A server that demands client certificates, and tells each client who it is. */
async function listening(options: Partial<ListenOptions> = {}): Promise<Listening & AsyncDisposable> {
  const handled: string[] = [];
  const errors: Error[] = [];
  const server = await listen(
    {
      port: 0,
      host: '127.0.0.1',
      framing: named,
      credentials: answering(),
      clientCertificates: 'require',
      onError: (error) => void errors.push(error),
      ...options,
    },
    (connection) => {
      const who = connection.peer?.commonNames[0] ?? 'nobody';
      handled.push(who);
      connection.write(who);
      void connection.close();
    },
  );
  const port = portOf(server);
  return { server, port, handled, errors, [Symbol.asyncDispose]: () => server.close({ deadline: 0 }) };
}

interface Validated extends Visit {
  readonly alpn: string | false | null;
  /** The names in the server's certificate. */
  readonly names: string | undefined;
}

/** A handshake as an ACME server makes it, or with options as others do. */
async function validate(port: number, options: ConnectionOptions = {}, text = ''): Promise<Validated> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: NAME,
    ALPNProtocols: [ACME],
    rejectUnauthorized: false,
    ...options,
  });
  const sessions: Buffer[] = [];
  let received = '';
  let error: string | null = null;
  let seen = { authorized: false, resumed: false };
  let alpn: string | false | null = null;
  let names: string | undefined;
  socket.on('session', (session) => sessions.push(session));
  socket.on('secureConnect', () => {
    seen = { authorized: socket.authorized, resumed: socket.isSessionReused() };
    alpn = socket.alpnProtocol;
    names = socket.getPeerCertificate().subjectaltname;
    if (text !== '') socket.write(text);
  });
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  socket.on('error', (cause: Error & { code?: string }) => (error = cause.code ?? cause.message));
  await new Promise((resolve) => socket.once('close', resolve));
  return { ...seen, received, sessions, error, alpn, names };
}

const named = { ...lines(), alpn: 'lines' };
/** With an ALPN name, and without. */
const framings = [named, lines()];

/** A client that is admitted. */
const admitted = () => ({ ...bare(world.client), ALPNProtocols: ['lines'] });

const ofChallenge = expect.stringContaining('challenge.test') as string;
const answered = { alpn: ACME, names: ofChallenge, received: '', resumed: false };
const quiet = { admitted: 0, connections: 0, refusedPeers: 0, failedHandshakes: 0 };

describe.each(versions)('over %s', (version) => {
  const only = (options: ConnectionOptions = {}) => ({
    minVersion: version,
    maxVersion: version,
    ...options,
  });

  it('a validation is answered where client certificates are demanded, and is no connection', async () => {
    await using of = await listening();
    using heard = hear('knsock:validation');
    expect(await validate(of.port, only())).toMatchObject(answered);
    expect(of.server.stats()).toMatchObject({ ...quiet, accepted: 1, validations: 1 });
    expect(heard.events).toMatchObject([
      { servername: NAME, address: expect.stringMatching(/^127/) as string },
    ]);
    expect([of.handled, of.errors]).toEqual([[], []]);
  });

  it('the name is compared in lower case and without the dot of the root', async () => {
    await using of = await listening();
    for (const servername of ['NEW.test', `${NAME}.`])
      expect(await validate(of.port, only({ servername }))).toMatchObject(answered);
  });

  it('a client that shows a certificate, and sends data behind its handshake, gets no further', async () => {
    await using of = await listening();
    const visited = await validate(of.port, only(bare(world.client)), 'hello\n'.repeat(20_000));
    expect(visited).toMatchObject(answered);
    expect(of.server.stats()).toMatchObject({ ...quiet, validations: 1 });
    expect(of.handled).toEqual([]);
  });

  it('every other client gets what it gets from a server without challenges', async () => {
    const credentials = world.server;
    for (const framing of framings) {
      await using of = await listening({ framing });
      await using plain = await listening({ framing, credentials });
      for (const ALPNProtocols of [
        undefined,
        ['lines'],
        ['other'],
        [ACME, 'lines'],
        ['lines', ACME],
        [ACME, ACME],
      ])
        for (const shown of [{}, bare(world.client)])
          for (const servername of [NAME, 'localhost']) {
            const options = only({ ...shown, servername, ...(ALPNProtocols && { ALPNProtocols }) });
            const [one, two] = [await visit(of.port, options), await visit(plain.port, options)];
            expect({ ...one, sessions: one.sessions.length }).toEqual({
              ...two,
              sessions: two.sessions.length,
            });
          }
      await vi.waitFor(() => {
        expect(of.server.stats()).toEqual(plain.server.stats());
      });
      expect(of.server.stats().admitted).toBeGreaterThan(0);
    }
  });

  it('without a challenge for the name, the client gets what it got before, and not under acme-tls/1', async () => {
    for (const framing of framings) {
      await using of = await listening({ framing });
      await using plain = await listening({ framing, credentials: world.server });
      const options = only({ servername: 'localhost' });
      const [one, two] = [await validate(of.port, options), await validate(plain.port, options)];
      expect({ ...one, sessions: one.sessions.length }).toEqual({ ...two, sessions: two.sessions.length });
      expect(one.alpn).not.toBe(ACME);
      await vi.waitFor(() => {
        expect(of.server.stats()).toEqual(plain.server.stats());
      });
    }
  });

  it('no session of a validation is resumed, neither by a validation nor by a connection', async () => {
    await using of = await listening();
    const { sessions } = await validate(of.port, only());
    // By its identifier; TLS 1.3 gets no ticket.
    if (version === 'TLSv1.2') expect(sessions).not.toEqual([]);
    for (const session of sessions) {
      expect(await validate(of.port, only({ session }))).toMatchObject(answered);
      const visited = await visit(of.port, only({ session, servername: NAME, ALPNProtocols: ['lines'] }));
      expect(visited).toMatchObject({ resumed: false, received: '' });
    }
    expect(of.server.stats()).toMatchObject({ admitted: 0, validations: 1 + sessions.length });
  });

  it('no session of a connection is resumed by a validation', async () => {
    await using of = await listening();
    const session = ticketOf(await visit(of.port, only({ ...admitted(), servername: NAME })));
    expect(await visit(of.port, only({ ...admitted(), servername: NAME, session }))).toMatchObject({
      resumed: true,
    });
    expect(await validate(of.port, only({ session }))).toMatchObject(answered);
    expect(of.server.stats()).toMatchObject({ admitted: 2, validations: 1 });
  });

  it('a hello in several records and chunks is read as one', async () => {
    await using of = await listening();
    for (const size of [1, 60]) {
      await using relay = await rewriting(of.port, split(size));
      expect(await validate(relay.port, only())).toMatchObject(answered);
    }
  });

  it("a hello that can't be read for certain is no validation", async () => {
    await using of = await listening();
    await using plain = await listening({ credentials: world.server });
    for (const rewrite of [
      before('1603010000'),
      split(60, '1603030000'),
      before('150301000201 5a'.replace(' ', '')),
    ]) {
      const seen: unknown[] = [];
      for (const { port } of [of, plain]) {
        await using relay = await rewriting(port, rewrite);
        const { error, names, alpn } = await validate(relay.port, only());
        seen.push({ error, names, alpn });
      }
      expect(seen[0]).toEqual(seen[1]);
      expect(seen[0]).not.toMatchObject({ names: ofChallenge });
    }
    expect(of.server.stats()).toMatchObject({ validations: 0, admitted: 0 });
  });

  it('a second hello, requested because of the groups, belongs to the same validation', async () => {
    await using of = await listening();
    expect(await validate(of.port, only({ ecdhCurve: 'X448:P-256' }))).toMatchObject(answered);
  });

  it("the listener's own profile doesn't keep an ACME server out", async () => {
    const profile = { groups: 'P-521', signatureAlgorithms: 'ECDSA+SHA256' };
    await using of = await listening({ profile });
    expect(await validate(of.port, only({ ecdhCurve: 'X25519:P-256' }))).toMatchObject(answered);
  });
});

it('no certificate is requested', async () => {
  await using of = await listening();
  expect(await tellsCertificateRequest(of.port, [ACME])).toBe(false);
  expect(await tellsCertificateRequest(of.port, ['lines'])).toBe(true);
});

/** Whether a TLS 1.2 server, whose messages are plain at first, sends a CertificateRequest. */
async function tellsCertificateRequest(port: number, protocols: string[]): Promise<boolean> {
  const socket = tcpConnect(port, '127.0.0.1');
  let said = Buffer.alloc(0);
  socket.write(await clientHello(NAME, protocols, { maxVersion: 'TLSv1.2' }));
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      said = Buffer.concat([said, chunk]);
      if (messagesOf(said).includes(14)) resolve();
    });
  });
  socket.destroy();
  return messagesOf(said).includes(13);
}

/** The types of the handshake messages in whole records. */
function messagesOf(bytes: Buffer): number[] {
  const parts: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length && at + 5 + bytes.readUInt16BE(at + 3) <= bytes.length;) {
    const length = bytes.readUInt16BE(at + 3);
    if (bytes[at] === 22) parts.push(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  const all = Buffer.concat(parts);
  const types: number[] = [];
  for (let at = 0; at + 4 <= all.length; at += 4 + all.readUIntBE(at + 1, 3)) types.push(all[at] as number);
  return types;
}

describe('virtual hosts', () => {
  const entry = (source: CredentialSource) => ({ credentials: source });

  it("answer from the source of the name, and else from the default's", async () => {
    const own = answering(() => undefined);
    const fallback = answering();
    await using of = await listening({
      credentials: fallback,
      sni: { [NAME]: entry(own), 'x.test': entry(own) },
    });
    expect(await validate(of.port)).toMatchObject(answered);
    expect([own.asked, fallback.asked]).toEqual([[NAME], [NAME]]);
  });

  it("are asked first, so that the default can't answer for a name that has its own answer", async () => {
    const own = answering(() => challenge);
    const fallback = answering(() => other);
    await using of = await listening({ credentials: fallback, sni: { [NAME]: entry(own) } });
    expect(await validate(of.port)).toMatchObject(answered);
    expect([own.asked, fallback.asked]).toEqual([[NAME], []]);
  });

  it('never answer for the name of another', async () => {
    const tenant = answering(() => challenge);
    const mine = { credentials: world.server };
    await using of = await listening({
      credentials: world.server,
      sni: { 'tenant.test': entry(tenant), [NAME]: mine },
    });
    for (const servername of [NAME, 'nobody.test'])
      expect((await validate(of.port, { servername })).names).not.toEqual(ofChallenge);
    expect(tenant.asked).toEqual([]);
  });

  it('that refuse unknown names let them be validated', async () => {
    await using of = await listening({
      unknownName: 'refuse',
      sni: { 'x.test': { credentials: world.server } },
    });
    expect(await validate(of.port)).toMatchObject(answered);
    expect((await validate(of.port, { servername: 'y.test' })).error).toMatch(/UNRECOGNIZED_NAME/);
  });
});

describe('a source that fails', () => {
  const broken: [string, () => unknown, RegExp][] = [
    [
      'throws',
      () => {
        throw new Error('no answer');
      },
      /no answer/,
    ],
    ['rejects', () => Promise.reject(new Error('later')), /not a promise/],
    ['returns a word', () => 'challenge', /must return \{ cert, key \}/],
    ['returns no key', () => ({ cert: challenge.cert }), /must return \{ cert, key \}/],
    ['returns garbage', () => ({ cert: 'a', key: 'b' }), /./],
    ["returns another's key", () => ({ cert: challenge.cert, key: other.key }), /doesn't belong/],
  ];

  it.each(broken)('because it %s refuses that one client, and is reported', async (_how, answer, message) => {
    let fails = true;
    const source = answering(() => (fails ? answer() : challenge));
    await using of = await listening({ credentials: source });
    const visited = await validate(of.port);
    expect(visited).toMatchObject({
      names: undefined,
      alpn: null,
      error: expect.stringMatching(/INTERNAL_ERROR/) as string,
    });
    expect(of.errors).toHaveLength(1);
    expect(of.errors[0]?.message).toMatch(message);
    expect(of.server.stats()).toMatchObject({ failedHandshakes: 1, validations: 0 });
    fails = false;
    expect(await validate(of.port)).toMatchObject(answered);
    expect((await visit(of.port, admitted())).received).toBe('app\n');
  });
});

it('a challenge that is replaced or withdrawn is, from the next client on', async () => {
  const pending = new Map<string, AlpnChallenge>([[NAME, challenge]]);
  await using of = await listening({ credentials: answering((name) => pending.get(name)) });
  const fingerprint = async () => {
    const socket = connect({
      port: of.port,
      host: '127.0.0.1',
      servername: NAME,
      ALPNProtocols: [ACME],
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const first = await fingerprint();
  expect(await fingerprint()).toBe(first);
  pending.set(NAME, other);
  expect(await fingerprint()).not.toBe(first);
  pending.delete(NAME);
  expect((await validate(of.port)).error).toMatch(/NO_APPLICATION_PROTOCOL/);
});

it('a rotation brings and takes challenges with its credentials', async () => {
  await using of = await listening({ credentials: world.server });
  expect((await validate(of.port)).alpn).toBeNull();
  const source = answering();
  await of.server.rotate({ credentials: source });
  expect(await validate(of.port)).toMatchObject(answered);
  source.change(createCredentials({ ...bare(world.server), ca: world.authority.root }));
  expect(await validate(of.port)).toMatchObject(answered);
  await of.server.rotate({ credentials: world.server });
  expect((await validate(of.port)).alpn).toBeNull();
});

it("behind a trusted proxy, a validation comes after the header, and is reported with the client's address", async () => {
  await using of = await listening({ proxyProtocol: { from: ['127.0.0.1'] } });
  using heard = hear('knsock:validation');
  const header = writeProxyHeader({
    source: { address: '192.0.2.7', port: 9 },
    destination: { address: '192.0.2.1', port: 443 },
  });
  await using relay = await rewriting(of.port, (hello) => Buffer.concat([header, hello]));
  expect(await validate(relay.port)).toMatchObject(answered);
  expect(heard.events).toMatchObject([{ address: '192.0.2.7:9' }]);
  for (const rewrite of [split(60), split(60, '1603030000')]) {
    await using other = await rewriting(of.port, (hello) => Buffer.concat([header, rewrite(hello)]));
    expect((await visit(other.port, admitted())).received).toBe('app\n');
  }
});

it('where another protocol speaks before TLS, a validation comes after it', async () => {
  const beforeTls = async (socket: Socket): Promise<void> => {
    socket.resume();
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    socket.pause();
    expect(bytes.subarray(0, 8).toString()).toBe('STARTTLS');
    socket.unshift(bytes.subarray(8));
  };
  await using of = await listening({ beforeTls });
  await using relay = await rewriting(of.port, (hello) => Buffer.concat([Buffer.from('STARTTLS'), hello]));
  expect(await validate(relay.port)).toMatchObject(answered);
  expect((await visit(relay.port, admitted())).received).toBe('app\n');
  expect(of.server.stats()).toMatchObject({ validations: 1, admitted: 1 });
});

it('many validations at once are all answered, beside connections', async () => {
  await using of = await listening();
  const all = Array.from({ length: 60 }, (_, index) =>
    index % 2 === 0 ? validate(of.port) : visit(of.port, admitted()),
  );
  const seen = await Promise.all(all);
  expect(seen.filter(({ received }) => received === 'app\n')).toHaveLength(30);
  expect(of.server.stats()).toMatchObject({ admitted: 30, validations: 30, failedHandshakes: 0 });
});

it('a hello that stops halfway runs into the deadline of the handshake', async () => {
  await using of = await listening({ handshakeTimeout: 60 });
  const hello = await clientHello(NAME, [ACME]);
  for (const length of [3, hello.length - 1]) {
    const socket = tcpConnect(of.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume().write(hello.subarray(0, length));
    await once(socket, 'close');
  }
  const idle = tcpConnect(of.port, '127.0.0.1');
  idle.on('error', () => undefined);
  idle.resume().write(hello);
  await once(idle, 'close');
  await vi.waitFor(() =>
    expect(of.server.stats()).toMatchObject({ failedHandshakes: 3, pendingHandshakes: 0, validations: 0 }),
  );
});

it("a peer that leaves within its hello is reported as from OpenSSL's handshake", async () => {
  const hello = await clientHello(NAME, [ACME]);
  for (const credentials of [answering(), world.server]) {
    await using of = await listening({ credentials });
    using heard = hear('knsock:failure');
    const socket = tcpConnect(of.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume().end(hello.subarray(0, 50));
    await once(socket, 'close');
    await vi.waitFor(() =>
      expect(heard.events).toMatchObject([{ error: { code: 'KNSOCK_HANDSHAKE_DISCONNECTED' } }]),
    );
  }
});

it('an HTTP server answers validations too', async () => {
  const paths: (string | undefined)[] = [];
  const options = {
    port: 0,
    host: '127.0.0.1',
    credentials: answering(),
    clientCertificates: 'require',
  } as const;
  await using server = await serveHttp(options, (request, response) => {
    paths.push(request.url);
    response.end('hello');
  });
  const port = portOf(server);
  expect(await validate(port, bare(world.client), 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n')).toMatchObject(
    answered,
  );
  const agent = new Agent({ ...bare(world.client), servername: 'localhost' });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/shown', agent }, resolve).on('error', reject);
  });
  expect(await text(response)).toBe('hello');
  agent.destroy();
  expect(paths).toEqual(['/shown']);
});

it('close ends validations that are under way', async () => {
  const of = await listening();
  const socket = tcpConnect(of.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(await clientHello(NAME, [ACME]));
  await once(socket, 'data');
  expect(of.server.stats().pendingHandshakes).toBe(1);
  await Promise.all([of.server.close(), once(socket, 'close')]);
  expect(of.server.stats()).toMatchObject({ pendingHandshakes: 0, validations: 0, admitted: 0 });
});

it('a validation takes a place among the pending handshakes, as others do', async () => {
  await using of = await listening({ maxPendingHandshakes: 1 });
  const socket = tcpConnect(of.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(await clientHello(NAME, [ACME]));
  await once(socket, 'data');
  expect(await validate(of.port)).toMatchObject({ alpn: null });
  expect(of.server.stats().refusedSockets.handshakes).toBe(1);
  socket.destroy();
});

it('a framing of that name is refused beside a source that answers validations', async () => {
  const framing = { ...lines(), alpn: ACME };
  await expect(listening({ framing })).rejects.toMatchObject({
    code: 'KNSOCK_INVALID_OPTION',
    option: 'framing',
  });
  await using of = await listening({ framing, credentials: world.server });
  expect(of.server.stats().accepted).toBe(0);
});

it('challengeFor must be a function', async () => {
  const credentials = { current: world.server, onChange: () => () => undefined, challengeFor: 'no' } as never;
  await expect(listening({ credentials })).rejects.toMatchObject({ option: 'credentials.challengeFor' });
});
