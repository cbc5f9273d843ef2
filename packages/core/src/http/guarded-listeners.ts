/** Runs the program's listeners of HTTP: what they throw or reject with ends their connection, and nothing else. */
import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { FailureReporter } from '../errors/failure-reporter.js';
import { follow, isThenable } from '../errors/thenable.js';
import type { HttpListener } from './config.js';
import { connectionUnder, type HttpSocket } from './http-socket.js';

export type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/** A request as Node emits it: also as an upgrade, a tunnel, or one that waits for `100 Continue`. */
interface Arrival {
  readonly server: Server;
  readonly emit: Emit;
  readonly event: string | symbol;
  readonly args: readonly unknown[];
  readonly request: IncomingMessage;
  readonly failures: FailureReporter;
}

/** @returns whether there were any, as `emit` does */
export function runListeners({ server, emit, event, args, request, failures }: Arrival): boolean {
  const socket = request.socket as unknown as HttpSocket;
  const [, second] = args;
  const before = socket.bytesWritten;
  const failed = (error: unknown): void => {
    const context = { connection: connectionUnder(request.socket), request: null };
    failures.report(error, context, `a listener of '${String(event)}' of the HTTP server`);
    if (second instanceof ServerResponse) answerFailure(socket, second as ServerResponse);
    else refuse(socket, socket.bytesWritten === before);
  };
  // Tools that trace programs replace the emit of requests.
  if (event === 'request') return attempt(() => emit(event, ...args), failed) ?? true;
  // Rejections are seen only by what calls the listeners itself.
  const listeners = server.rawListeners(event);
  for (const listener of listeners) {
    const handling = attempt(() => Reflect.apply(listener, server, args) as unknown, failed);
    if (isThenable(handling)) follow(handling, undefined, failed);
  }
  return listeners.length > 0;
}

function attempt<R>(action: () => R, failed: (error: unknown) => void): R | undefined {
  try {
    return action();
  } catch (error) {
    failed(error);
    return undefined;
  }
}

/** An upgrade or a tunnel that failed. @param unanswered whether nothing was written on the socket since */
function refuse(socket: HttpSocket, unanswered: boolean): void {
  if (unanswered && socket.writable) {
    socket.end('HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    socket.destroySoon();
  } else socket.destroy();
}

/** A listener whose failures end its connection, with status 500 where that can still be said, and are reported. */
export function guarded(
  app: HttpListener,
  failures: FailureReporter,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const failed = (error: unknown): void => {
      const connection = connectionUnder(request.socket);
      failures.report(error, { connection, request: null }, 'the HTTP request listener');
      answerFailure(request.socket as unknown as HttpSocket, response);
    };
    try {
      const handling = app(request, response);
      if (isThenable(handling)) follow(handling, undefined, failed);
    } catch (error) {
      failed(error);
    }
  };
}

function answerFailure(socket: HttpSocket, response: ServerResponse): void {
  if (response.writableEnded) return;
  if (response.headersSent) {
    socket.destroy();
    return;
  }
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.writeHead(500, { Connection: 'close', 'Content-Length': 0 }).end();
}
