/** What stopped kn-sock's servers for all clients stops none here. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ReplyTimeoutError } from '@knsock/core';
import {
  sendSslTcpMessage,
  startAsyncSslTcpServer,
  startSslTcpServer,
  type SslServer,
} from '@knsock/core/kn-sock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { stockServer } from '../support/raw-tls.js';

let files: CertificateFolder;
beforeAll(async () => {
  files = await createCertificateFolder();
});
afterAll(() => files[Symbol.asyncDispose]());

async function plain(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Each leaves the server with a peer that kn-sock's didn't survive. */
const peers: Record<string, (port: number) => Promise<Socket>> = {
  'stalls in its handshake': async (port) => {
    const socket = await plain(port);
    socket.write(Buffer.from('160301020001', 'hex')); // the beginning of a ClientHello, and no more
    return socket;
  },
  'resets before its ClientHello': async (port) => {
    const socket = await plain(port);
    socket.resetAndDestroy();
    return socket;
  },
  'sends an HTTP request': async (port) => {
    const socket = await plain(port);
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    return socket;
  },
  'is silent': plain,
};

describe.each([
  ['startSslTcpServer', startSslTcpServer],
  ['startAsyncSslTcpServer', startAsyncSslTcpServer],
])('%s', (_name, start) => {
  it.each(Object.entries(peers))('serves others while and after a client %s', async (_what, visit) => {
    const options = { host: '127.0.0.1', certfile: files.at('server.crt'), keyfile: files.at('server.key') };
    const server: SslServer = await start(0, (data, _addr, connection) => connection.sendall(data), options);
    const { port } = server.address;
    const first = await visit(port);
    const ask = (word: string) =>
      sendSslTcpMessage('localhost', port, word, { cafile: files.at('ca.crt'), until: 'first' });
    expect((await Promise.all(['one', 'two', 'three'].map(ask))).map(String)).toEqual([
      'one',
      'two',
      'three',
    ]);
    first.destroy();
    expect(String(await ask('four'))).toBe('four');
    await server.close({ deadline: 1_000 });
  });
});

describe('sendSslTcpMessage', () => {
  it("isn't held by a server that never reads", async () => {
    const { authority } = files;
    const { chain, key } = await authority.issue({ kind: 'server', names: ['localhost'], days: 7 });
    const { createServer } = await import('node:tls');
    const server = createServer({ cert: chain, key }, (socket) => {
      socket.pause();
      socket.on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const message = Buffer.alloc(64 * 1_048_576);
    const sending = sendSslTcpMessage('localhost', port, message, {
      cafile: files.at('ca.crt'),
      timeout: 1_500,
    });
    await expect(sending).rejects.toMatchObject({ code: 'KNSOCK_REPLY_TIMEOUT' });
    server.close();
  });

  it("isn't held by a server that trickles for ever, and gives what came", async () => {
    const { chain, key } = await files.authority.issue({ kind: 'server', names: ['localhost'], days: 7 });
    await using server = await stockServer({ cert: chain, key }, () => '');
    server.server.removeAllListeners('secureConnection');
    server.server.on('secureConnection', (socket) => {
      const trickle = setInterval(() => socket.write('.'), 20);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          clearInterval(trickle);
        });
    });
    const options = { cafile: files.at('ca.crt'), timeout: 1_000 };
    const error: unknown = await sendSslTcpMessage('localhost', server.port, 'x', options).catch(
      (failure: unknown) => failure,
    );
    expect(error).toMatchObject({ code: 'KNSOCK_REPLY_TIMEOUT' });
    expect(String((error as ReplyTimeoutError).received)).toMatch(/^\.+$/);
  });

  it.each([{}, { cert: 'x' }, { key: 'x' }])(
    'needs a certificate and key in sslContext: %j',
    async (sslContext) => {
      const starting = startSslTcpServer(0, () => undefined, { sslContext });
      await expect(starting).rejects.toMatchObject({ code: expect.stringMatching(/^KNSOCK_/) as string });
    },
  );
});
