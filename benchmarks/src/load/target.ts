/** A plain server behind a proxy: takes blocks or sends them. */
import { createServer, type Socket } from 'node:net';
import { bulk, type BulkRole } from '../subject/bulk.js';
import { LOOPBACK } from '../tls-setup.js';

/** @returns the port */
export function target(role: BulkRole): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    serve(socket, role);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, LOOPBACK, 4_096, () => {
      resolve((server.address() as { port: number }).port);
    });
  });
}

function serve(socket: Socket, role: BulkRole): void {
  const take = bulk(
    { write: (payload) => socket.write(payload), whenReady: (go) => socket.once('drain', go) },
    role,
  );
  socket.on('data', (chunk: Buffer) => {
    take(chunk.length);
  });
}
