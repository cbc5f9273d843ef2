/** An HTTP proxy for tests: CONNECT alone, on a free port of this machine. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';

export interface ConnectProxy extends AsyncDisposable {
  readonly port: number;
  /** Where it was asked to connect to, and the credentials that it was shown. */
  readonly asked: { readonly place: string; readonly authorization: string | undefined }[];
  /** Takes a request over. */
  interfere: ((client: Socket, request: IncomingMessage) => void) | undefined;
}

/** @param tls its certificate and key, where it takes TLS */
export async function startConnectProxy(tls?: { cert: string; key: string }): Promise<ConnectProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  };
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  const proxy: ConnectProxy = {
    port: 0,
    asked: [],
    interfere: undefined,
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
  server.on('connection', keep);
  server.on('secureConnection', keep);
  server.on('connect', (request, client: Socket, head: Buffer) => {
    const { url: place = '', headers } = request;
    proxy.asked.push({ place, authorization: headers['proxy-authorization'] });
    if (proxy.interfere !== undefined) {
      proxy.interfere(client, request);
      return;
    }
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(place) ?? [];
    const far = keep(connect(Number(port), host));
    far.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      far.write(head);
      client.pipe(far).pipe(client);
    });
    far.once('close', () => client.destroy());
    client.once('close', () => far.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(proxy, { port: (server.address() as AddressInfo).port });
}
