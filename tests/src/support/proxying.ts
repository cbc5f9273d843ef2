/** What the tests of `knsock proxy` put on both of its sides. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { startKnsock, type Running } from './command.js';

export interface Answerer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** Connections so far. */
  connections(): number;
}

export interface StartedProxy extends AsyncDisposable {
  readonly running: Running;
  readonly address: string;
}

/** A plain server that answers with all it got, once its input has ended. */
export async function answerer(place: { port: number } | { path: string } = { port: 0 }): Promise<Answerer> {
  const sockets = new Set<Socket>();
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    // Not by buffer(): iterating over a socket to its end destroys it.
    const pieces: Buffer[] = [Buffer.from('got ')];
    socket.on('data', (bytes: Buffer) => pieces.push(bytes));
    socket.on('end', () => socket.end(Buffer.concat(pieces)));
  });
  listener.listen('path' in place ? place : { ...place, host: '127.0.0.1' });
  await once(listener, 'listening');
  const port = 'path' in place ? 0 : (listener.address() as AddressInfo).port;
  return {
    address: 'path' in place ? `unix:${place.path}` : `127.0.0.1:${port}`,
    port,
    connections: () => sockets.size,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

/** Starts a side of the proxy on a free port and resolves when it listens. */
export async function startProxy(side: 'server' | 'client', args: readonly string[]): Promise<StartedProxy> {
  const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  const running = startKnsock(['proxy', side, ...listen, '--json', ...args]);
  const [, port = ''] = await running.says(/"event":"listening"(?:.*"port":(\d+))?/);
  return {
    running,
    address: `localhost:${port}`,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** A plain client. */
export function dial(address: string): Socket {
  const place = address.startsWith('unix:')
    ? { path: address.slice('unix:'.length) }
    : { port: Number(address.split(':')[1]), host: '127.0.0.1' };
  const socket = connect({ ...place, allowHalfOpen: true });
  socket.on('error', () => undefined);
  return socket;
}
