/** The answer to a PostgreSQL client that can't be forwarded: PostgreSQL's own error message, as a pooler sends. */
import type { Socket } from 'node:net';
import type { SecureConnection } from '@knsock/core';
import { describeFailure } from '../failure.js';
import { UsageError } from '../usage-error.js';
import { readFirst, type FirstBytes } from './first-bytes.js';

/** PostgreSQL's own limit. */
const LONGEST_STARTUP = 10_000;

/** "Unable to establish the connection" of PostgreSQL's error codes. */
const NOT_ESTABLISHED = '08001';

/**
 * Forwards a client's startup message, and then the server's first answer. A server may refuse our certificate that
 * late (TLS 1.3), and only before its first byte can the client be sent an error message.
 * @throws UsageError, or the failure of the connection to the server
 */
export async function startSession(socket: Socket, far: SecureConnection, timeout: number): Promise<void> {
  const patience = AbortSignal.timeout(timeout);
  const left = (): void => {
    far.destroy();
  };
  socket.once('close', left);
  try {
    await far.send(await readFirst(socket, patience, startupOf));
    await handFirstAnswer(socket, far, patience);
  } finally {
    socket.off('close', left);
  }
}

async function handFirstAnswer(socket: Socket, far: SecureConnection, patience: AbortSignal): Promise<void> {
  try {
    const answer = await far.receive({ signal: patience });
    if (answer === null) throw endedError();
    socket.write(answer);
  } catch (error) {
    // Slower servers aren't waited for here.
    if (error !== patience.reason) throw error;
  }
}

/** The error as an ErrorResponse, which clients display. */
export function refusalOf(error: unknown): Buffer {
  const { message, hint } = describeFailure(error, 'proxy');
  return errorResponse(NOT_ESTABLISHED, `the proxy can't pass this connection on: ${message}`, hint);
}

/** @param code from PostgreSQL's list of error codes */
export function errorResponse(code: string, message: string, hint = ''): Buffer {
  const fields = { S: 'FATAL', V: 'FATAL', C: code, M: message, ...(hint !== '' && { H: hint }) };
  const text = Object.entries(fields).map(([type, value]) => `${type}${value.replaceAll('\0', ' ')}\0`);
  const body = Buffer.from(`${text.join('')}\0`);
  const head = Buffer.alloc(5);
  head.write('E', 0);
  head.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

function startupOf(bytes: Buffer): FirstBytes<Buffer> {
  if (bytes.length < 4) return null;
  const length = bytes.readUInt32BE(0);
  if (length < 8 || length > LONGEST_STARTUP) {
    const message = `the client's first message says that it is ${length.toLocaleString('en')} bytes long`;
    throw new UsageError(message, "Does it speak PostgreSQL's protocol?", 'KNSOCK_MALFORMED_FRAME');
  }
  return bytes.length < length ? null : { found: bytes.subarray(0, length), length };
}

function endedError(): UsageError {
  const hint = 'Does a PostgreSQL server stand behind it, and is it running?';
  return new UsageError(
    'the server ended the connection without an answer',
    hint,
    'KNSOCK_CONNECTION_CLOSED',
  );
}
