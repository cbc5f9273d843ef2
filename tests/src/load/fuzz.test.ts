/** Peers that say anything at all, to a server that must outlive each of them. */
import fc from 'fast-check';
import { connect, listen, type ListenOptions, type SecureServer } from '@knsock/core';
import { beforeAll, expect, it, vi } from 'vitest';
import { bareSocket, gone } from '../support/bare-socket.js';
import { clientHello } from '../support/client-hello.js';
import { frame, tlsPeer, welcome } from '../support/hand-made-peer.js';
import { createWorld, portOf, type World } from '../support/world.js';

const RUNS = 40;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** It sends, asks and answers, so that whatever a peer says meets something. */
function busyServer(options: Omit<Partial<ListenOptions>, 'framing'> = {}): Promise<SecureServer> {
  return listen({ port: 0, host: '127.0.0.1', credentials: world.server, ...options }, (connection) => {
    connection.onMessage((message) => connection.send(message).catch(() => undefined));
    connection.onRequest(({ payload }) => Promise.resolve(payload));
    for (let n = 0; n < 3; n++) connection.request('who?', { timeout: 50 }).catch(() => undefined);
  });
}

async function servesOn(server: SecureServer, options: object = {}): Promise<void> {
  await vi.waitFor(() => expect(server.stats()).toMatchObject({ connections: 0, pendingHandshakes: 0 }));
  const target = { host: 'localhost', port: portOf(server), credentials: world.anonymous };
  await using client = await connect({ ...target, ...options });
  expect(String(await client.request('hello'))).toBe('hello');
}

/** Small ids and bodies, so that frames meet each other's requests. */
const id = fc.integer({ min: 0, max: 5 }).map((number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(number));
  return bytes;
});
const body = fc.tuple(fc.option(id, { nil: Buffer.alloc(0) }), fc.uint8Array({ maxLength: 40 }));
const anyFrame = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.integer({ min: 1, max: 12 }), body) },
  { weight: 1, arbitrary: fc.tuple(fc.integer({ min: 0, max: 255 }), body) },
);
const conversation = fc.record({
  welcomed: fc.boolean(),
  frames: fc.array(
    anyFrame.map(([kind, parts]) => frame(kind, Buffer.concat(parts))),
    { maxLength: 12 },
  ),
  rest: fc.uint8Array({ maxLength: 20 }),
  cut: fc.integer({ min: 1, max: 60 }),
  leaving: fc.constantFrom('end', 'destroy'),
});

it('frames in any order, cut anywhere, end their own connection at most', async () => {
  await using server = await busyServer();
  const property = fc.asyncProperty(conversation, async ({ welcomed, frames, rest, cut, leaving }) => {
    const peer = await tlsPeer(portOf(server), { ALPNProtocols: ['knsock/1'] });
    peer.resume();
    const bytes = Buffer.concat([welcomed ? welcome : Buffer.alloc(0), ...frames, rest]);
    for (let at = 0; at < bytes.length; at += cut) peer.write(bytes.subarray(at, at + cut));
    if (leaving === 'end') peer.end();
    else await new Promise((resolve) => peer.write('', resolve)).then(() => peer.destroy());
    if (!peer.closed) await new Promise((resolve) => peer.once('close', resolve));
  });
  await fc.assert(property, { numRuns: RUNS });
  await servesOn(server);
});

it('bytes before TLS, where a proxy and a name are read, end their own socket at most', async () => {
  const credentials = world.server;
  await using server = await busyServer({
    proxyProtocol: { from: ['127.0.0.1'] },
    sni: { localhost: { credentials } },
    unknownName: 'refuse',
  });
  const hello = await clientHello('localhost');
  const beginning = fc.constantFrom(
    Buffer.alloc(0),
    Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n'),
    // A version 2 header of a proxy that speaks for itself.
    Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'),
  );
  const damage = fc.array(fc.tuple(fc.nat(600), fc.integer({ min: 0, max: 255 })), { maxLength: 3 });
  const property = fc.asyncProperty(
    beginning,
    damage,
    fc.integer({ min: 1, max: 300 }),
    async (start, changes, cut) => {
      const bytes = Buffer.concat([start, hello]);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      const socket = await bareSocket(portOf(server));
      for (let at = 0; at < bytes.length; at += cut) socket.write(bytes.subarray(at, at + cut));
      socket.end();
      await gone(socket);
    },
  );
  await fc.assert(property, { numRuns: RUNS });
  const destination = { address: '192.0.2.8', port: 2 };
  await servesOn(server, { proxyHeader: { source: { address: '192.0.2.7', port: 1 }, destination } });
});
