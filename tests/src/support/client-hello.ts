import { Duplex } from 'node:stream';
import { connect, type ConnectionOptions } from 'node:tls';

/** What Node's own client says first. */
export function clientHello(
  servername: string,
  protocols: string[] = [],
  options: ConnectionOptions = {},
): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        resolve(chunk);
        done();
      },
    });
    connect({ ...options, socket: wire, servername, ALPNProtocols: protocols }).on('error', () => undefined);
  });
}
