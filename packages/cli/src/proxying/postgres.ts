/**
 * TLS negotiation of PostgreSQL's protocol (its documentation, "SSL Session Encryption" of the message flow): the
 * client sends an unencrypted SSLRequest, the server answers one byte, then TLS begins. Clients from version 17 on may
 * begin with TLS directly, and then name the protocol by ALPN.
 */
import type { Socket } from 'node:net';
import { UsageError } from '../usage-error.js';
import { readFirst, type FirstBytes } from './first-bytes.js';
import { errorResponse } from './postgres-answer.js';

export const POSTGRES_ALPN = 'postgresql';

type Opening = 'tls' | 'ssl-request' | 'gss-request' | PlainOpening;

/** The unencrypted requests of a client: to start a session, or to cancel a query of another one. */
export type PlainOpening = 'cancel' | 'startup';

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const CANCEL_REQUEST = 80_877_102;
const REQUEST_BYTES = 8;
const TLS_HANDSHAKE = 0x16;
const YES = Buffer.from('S');
const NO = Buffer.from('N');

/** The server's part: accepts TLS, and nothing unencrypted. @throws UsageError if the client doesn't use TLS */
export async function answerSslRequest(socket: Socket, { signal }: { signal: AbortSignal }): Promise<void> {
  for (;;) {
    const opening = await readFirst(socket, signal, openingOf);
    if (opening === 'tls') return;
    if (opening === 'gss-request') socket.write(NO);
    else if (opening === 'ssl-request') {
      refuseEarlyBytes(socket);
      socket.write(YES);
      return;
    } else throw refusePlain(socket, opening);
  }
}

/** The plain side of a client: that connection is local, and we add TLS. */
export async function declineTls(socket: Socket, signal: AbortSignal): Promise<PlainOpening> {
  for (;;) {
    const opening = await readFirst(socket, signal, openingOf);
    if (opening === 'tls') throw tlsOnPlainSide();
    if (opening !== 'ssl-request' && opening !== 'gss-request') return opening;
    socket.write(NO);
  }
}

/** The client's part: requests TLS from a server. @throws UsageError if it refuses */
export async function askForTls(socket: Socket, signal: AbortSignal): Promise<void> {
  const request = Buffer.alloc(REQUEST_BYTES);
  request.writeUInt32BE(REQUEST_BYTES, 0);
  request.writeUInt32BE(SSL_REQUEST, 4);
  socket.write(request);
  const answer = await readFirst(socket, signal, (bytes) => ({ found: bytes[0], length: 1 }));
  refuseEarlyBytes(socket);
  if (answer === YES[0]) return;
  const message = "the PostgreSQL server doesn't offer TLS";
  const hint = 'Switch ssl on there, or put knsock proxy server before it.';
  throw new UsageError(message, hint, 'KNSOCK_HANDSHAKE_NOT_TLS');
}

function openingOf(bytes: Buffer): FirstBytes<Opening> {
  if (bytes[0] === TLS_HANDSHAKE) return { found: 'tls', length: 0 };
  if (bytes.length < REQUEST_BYTES) return null;
  const code = bytes.readUInt32BE(4);
  if (bytes.readUInt32BE(0) === REQUEST_BYTES) {
    if (code === SSL_REQUEST) return { found: 'ssl-request', length: REQUEST_BYTES };
    if (code === GSS_REQUEST) return { found: 'gss-request', length: REQUEST_BYTES };
  }
  return { found: code === CANCEL_REQUEST ? 'cancel' : 'startup', length: 0 };
}

/** Bytes after the request or its answer were unencrypted, and would be taken for TLS-protected ones (CVE-2021-23214). */
function refuseEarlyBytes(socket: Socket): void {
  if (socket.readableLength === 0) return;
  const message = 'bytes in plain came where TLS was to begin';
  const hint = 'An attacker in the middle may have inserted them.';
  throw new UsageError(message, hint, 'KNSOCK_MALFORMED_FRAME');
}

function refusePlain(socket: Socket, opening: Opening): UsageError {
  const what = opening === 'cancel' ? 'a cancellation' : 'a connection';
  if (opening === 'startup') socket.end(errorResponse('28000', 'this server takes TLS connections only'));
  const hint = 'Connect with sslmode=verify-full; only clients from PostgreSQL 17 on cancel over TLS.';
  return new UsageError(`the client began ${what} without TLS`, hint, 'KNSOCK_HANDSHAKE_NOT_TLS');
}

function tlsOnPlainSide(): UsageError {
  const message = 'the client began TLS on the plain side';
  const hint = 'The proxy speaks TLS for it: connect with sslmode=disable.';
  return new UsageError(message, hint, 'KNSOCK_HANDSHAKE_OTHER');
}
