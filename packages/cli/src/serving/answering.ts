/** What a server does with those it lets in: echo, run a command, or ask a file. */
import type { RequestHandler, SecureConnection } from '@knsock/core';
import type { Payload } from '@knsock/core/framing';
import { UsageError } from '../usage-error.js';
import { echo } from './echo.js';
import { runCommand } from './exec.js';
import type { ServeFlags } from './flags.js';
import { loadHandler } from './handler-file.js';
import type { ServeLog } from './serve-log.js';

export interface Answering {
  /** In words, for the log. */
  readonly what: string;
  readonly handle: (connection: SecureConnection) => void | Promise<void>;
}

/** @throws UsageError for flags that don't go together, or a handler that can't be loaded */
export async function answeringOf(
  { exec, handler, framing, content }: ServeFlags,
  log: ServeLog,
): Promise<Answering> {
  if (exec !== undefined) {
    if (framing !== 'raw' || content === 'json')
      throw new UsageError(
        '--exec carries bytes',
        'Leave --framing and --content out, or say --framing raw.',
      );
    return { what: `running ${exec}`, handle: (connection) => runCommand(connection, exec, log) };
  }
  if (handler !== undefined) {
    const answer = telling(await loadHandler(handler), log);
    return { what: `${handler} answering ${framing}`, handle: (connection) => connection.onRequest(answer) };
  }
  return { what: `echoing ${framing}`, handle: (connection) => echo(connection, framing) };
}

/** The peer learns that a handler failed, and no more: why stands in the log. */
function telling(answer: RequestHandler<Buffer, Payload>, log: ServeLog): RequestHandler<Buffer, Payload> {
  return async (request) => {
    try {
      return await answer(request);
    } catch (error) {
      log.handlerFailed(request.connection.id, error);
      throw error;
    }
  };
}
