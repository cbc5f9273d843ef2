/** One probe: a connection, our bytes, and the server's unencrypted answer. */
import { connect, isIP } from 'node:net';
import { clientHello, type HelloOptions } from './client-hello.js';
import type { Endpoint } from './endpoint.js';
import { readFlight, type Answer, type ServerHello } from './server-flight.js';

/** No answer: it closed the connection, timed out, or can't be reached. */
export type Unanswered = { readonly kind: 'closed' } | { readonly kind: 'silent' };

export function ask({ host, port, timeout }: Endpoint, bytes: Buffer): Promise<Answer | Unanswered> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, noDelay: true });
    let received: Buffer = Buffer.alloc(0);
    const settle = (answer: Answer | Unanswered): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const look = (ended: boolean): void => {
      const answer = readFlight(received, ended);
      if (answer !== null) settle(answer);
      else if (ended) settle({ kind: 'closed' });
    };
    const timer = setTimeout(() => {
      settle(readFlight(received, true) ?? { kind: 'silent' });
    }, timeout);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      look(false);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      look(true);
    });
    socket.write(bytes);
  });
}

/** The server's choice for a ClientHello; null if it refused. */
export async function hello(
  endpoint: Endpoint,
  options: Omit<HelloOptions, 'servername'>,
): Promise<ServerHello | null> {
  const answer = await ask(endpoint, clientHello({ ...options, servername: nameFor(endpoint) }));
  return answer.kind === 'hello' ? answer : null;
}

/** The server name to send; addresses aren't allowed (RFC 6066 3). */
export function nameFor({ host, servername }: Endpoint): string | undefined {
  return servername ?? (isIP(host) === 0 ? host : undefined);
}
