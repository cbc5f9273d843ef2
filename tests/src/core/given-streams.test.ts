/** `connect({ socket })`: whatever becomes of the stream that was given, the call rejects at once, and the process goes on. */
import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { connect } from '@knsock/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorld, type World } from '../support/world.js';

let world: World;
const sockets: Socket[] = [];
const tcp = createServer((socket) => {
  sockets.push(socket);
  socket.on('error', () => undefined);
});
beforeAll(async () => {
  world = await createWorld();
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  tcp.close();
});

/** Far below `connectTimeout`, which no case may need. */
const SOON = 5_000;

const silent = () => new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => { done(); } }); // prettier-ignore

/** A stream, and what befalls it once the handshake has begun. */
const fates: Record<string, () => Promise<{ stream: Duplex; befall?: () => void }>> = {
  'a tunnel that is destroyed': () => {
    const stream = silent();
    return Promise.resolve({ stream, befall: () => stream.destroy() });
  },
  'a tunnel that fails': () => {
    const stream = silent();
    return Promise.resolve({ stream, befall: () => stream.destroy(new Error('the tunnel broke')) });
  },
  'a tunnel that ends': () => {
    const stream = silent();
    return Promise.resolve({ stream, befall: () => stream.push(null) });
  },
  'a tunnel that was destroyed before': async () => {
    const stream = new PassThrough();
    stream.destroy();
    await once(stream, 'close');
    return { stream };
  },
  'a tunnel that refuses what is written': () =>
    Promise.resolve({
      stream: new Duplex({
        read: () => undefined,
        write: (_chunk, _encoding, done) => {
          done(new Error('full'));
        },
      }),
    }),
  'a socket that is reset at once': async () => {
    const accepted = once(tcp, 'connection');
    const stream = connectTcp((tcp.address() as AddressInfo).port, '127.0.0.1');
    const [peer] = (await accepted) as [Socket];
    await once(stream, 'connect');
    peer.resetAndDestroy();
    return { stream };
  },
  'a socket that is refused': async () => {
    const closing = createServer().listen(0, '127.0.0.1');
    await once(closing, 'listening');
    const { port } = closing.address() as AddressInfo;
    closing.close();
    await once(closing, 'close');
    return { stream: connectTcp(port, '127.0.0.1') };
  },
};

it.each(Object.entries(fates))('over %s rejects at once', { timeout: SOON }, async (_, make) => {
  for (let n = 0; n < 3; n += 1) {
    const { stream, befall } = await make();
    const connecting = connect({ socket: stream, servername: 'localhost', credentials: world.anonymous });
    if (befall !== undefined) setImmediate(() => setImmediate(befall));
    await expect(connecting).rejects.toMatchObject({
      code: expect.stringMatching(/^KNSOCK_(?!CONNECT_TIMEOUT)/) as string,
    });
  }
});

it.each([
  ['in object mode', new PassThrough({ objectMode: true })],
  ['in object mode', Duplex.from(async function* () {})], // prettier-ignore
  ['as text (utf8)', new PassThrough().setEncoding('utf8')],
])('over a stream that is read %s is refused, since TLS would end the process', async (how, stream) => {
  await expect(connect({ socket: stream, servername: 'localhost' })).rejects.toMatchObject({
    code: 'KNSOCK_INVALID_OPTION',
    message: `socket must be a stream of bytes, and this one is read ${how}`,
  });
});
