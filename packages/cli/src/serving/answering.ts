/** What a server does with admitted clients: echo, run a command, or call a handler module. */
import type { RequestHandler, SecureConnection } from '@knsock/core';
import type { Payload } from '@knsock/core/framing';
import { asError } from '@knsock/core/options';
import { UsageError } from '../usage-error.js';
import { echo } from './echo.js';
import { runCommand } from './exec.js';
import type { ServeFlags } from './flags.js';
import { loadHandler } from './handler-file.js';
import type { ServeLog } from './serve-log.js';

export interface Answering {
  /** Description for the log. */
  readonly what: string;
  readonly handle: (connection: SecureConnection) => void | Promise<void>;
}

/** @throws UsageError for conflicting flags, or a handler that can't be loaded */
export async function answeringOf(
  { exec, handler, framing, content, maxMessage }: ServeFlags,
  log: ServeLog,
): Promise<Answering> {
  if (exec !== undefined) {
    if (framing !== 'raw' || content === 'json')
      throw new UsageError(
        '--exec carries bytes',
        'Leave --framing and --content out, or use --framing raw.',
      );
    if (maxMessage !== undefined)
      throw new UsageError(
        '--exec carries bytes, and --max-message limits messages',
        'Leave --max-message out.',
      );
    return {
      what: `running ${exec} on raw bytes`,
      handle: (connection) => runCommand(connection, exec, log),
    };
  }
  if (handler !== undefined) {
    const answer = telling(await loadHandler(handler), content === 'json', log);
    return { what: `${handler} answering ${framing}`, handle: (connection) => connection.onRequest(answer) };
  }
  return { what: `echoing ${framing}`, handle: (connection) => echo(connection, framing) };
}

/** The peer only learns that a handler failed: the reason is in the log. */
function telling(
  answer: RequestHandler<Buffer, Payload>,
  json: boolean,
  log: ServeLog,
): RequestHandler<Buffer, Payload> {
  return async (request) => {
    try {
      return requireAnswer(await answer(request), json);
    } catch (error) {
      const failure = asError(error);
      log.handlerFailed(request.connection.id, failure);
      throw failure;
    }
  };
}

/** Thrown here, so that it is logged: an unsendable value is the handler's mistake, and the peer doesn't get the details. */
function requireAnswer(answer: Payload, json: boolean): Payload {
  const given: unknown = answer;
  const fits = json
    ? JSON.stringify(given) !== undefined
    : typeof given === 'string' || given instanceof Uint8Array;
  if (fits) return answer;
  const kind = given === null ? 'null' : Array.isArray(given) ? 'a list' : typeof given;
  throw new TypeError(`the handler returned ${kind}, not ${json ? 'a JSON value' : 'text or bytes'}`);
}
