/** Bare TCP clients, as attackers and broken peers are. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Connects, and keeps quiet about how it ends. */
export async function bareSocket(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Resolves when the socket has ended, whichever way. */
export async function gone(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

/** Connects, says something and reads until the other side ends. */
export async function say(port: number, words: string | Uint8Array): Promise<Buffer> {
  const socket = await bareSocket(port);
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.write(words);
  await gone(socket);
  return Buffer.concat(received);
}
