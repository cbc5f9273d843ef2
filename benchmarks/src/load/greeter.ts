/** A server that says one word to each client, after its session tickets: for clients that measure handshakes. */
import tls from 'node:tls';
import type { Certificates } from '../certificates.js';
import { listenOn, serverOptions } from '../tls-setup.js';
import { frameOf } from '../wire.js';

/** @returns the port */
export function greet(files: Certificates, clientCertificates: boolean): Promise<number> {
  const word = frameOf('length-prefixed', Buffer.from('hello'));
  const server = tls.createServer(serverOptions(files, clientCertificates), (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => undefined);
    setImmediate(() => socket.write(word));
  });
  server.on('tlsClientError', () => undefined);
  return listenOn(server);
}
