/** What a server does with those it lets in: echo, run a command, or ask a file. */
import type { SecureConnection } from '@knsock/core';
import { UsageError } from '../usage-error.js';
import { echo } from './echo.js';
import { runCommand } from './exec.js';
import { loadHandler } from './handler-file.js';
import type { ServeLog } from './serve-log.js';

export interface Answering {
  /** In words, for the log. */
  readonly what: string;
  readonly handle: (connection: SecureConnection) => void | Promise<void>;
}

/** @throws UsageError for flags that don't go together, or a handler that can't be loaded */
export async function answeringOf(
  { exec, handler, framing }: { exec?: string; handler?: string; framing: string },
  log: ServeLog,
): Promise<Answering> {
  if (exec !== undefined && handler !== undefined) {
    throw new UsageError('--exec and --handler are two ways to answer', 'Choose one of them.');
  }
  if (exec !== undefined) {
    if (framing !== 'raw')
      throw new UsageError('--exec carries bytes', 'Leave --framing out, or say --framing raw.');
    return { what: `running ${exec}`, handle: (connection) => runCommand(connection, exec, log) };
  }
  if (handler !== undefined) {
    const answer = await loadHandler(handler);
    return { what: `${handler} answering ${framing}`, handle: (connection) => connection.onRequest(answer) };
  }
  return { what: `echoing ${framing}`, handle: (connection) => echo(connection, framing) };
}
