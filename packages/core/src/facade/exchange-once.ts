/** One message out, one reply in, over raw bytes. */
import type { SecureConnection } from '../connection/connection-types.js';
import { ConnectionTimeoutError, ReplyTimeoutError } from '../errors/index.js';
import { nameAddress } from '../errors/name-address.js';
import type { Payload } from '../framing/framing.js';
import { showEndpoint } from '../transport/proxy-header.js';
import { Reply, type ReplyEnd } from './reply.js';

/** What to wait for, and how long. */
export interface ReplyRule {
  readonly until: ReplyEnd;
  readonly maxReplyBytes: number;
  /** Milliseconds for all of it; what is left of them runs until `deadline`. */
  readonly timeout: number;
  /** Of the clock of `performance.now()`. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

/** A reply, and whether it left the connection as a next exchange needs it. */
export interface Exchanged {
  readonly reply: Buffer;
  /** Neither has the peer ended, nor came more than the reply. */
  readonly reusable: boolean;
}

/**
 * Sends, and gathers the reply. Never half-closes: servers of asyncio and Node would drop the reply.
 * @throws ReplyTimeoutError with what was received; MessageTooLargeError, TruncatedMessageError, ConnectionError
 */
export async function exchangeOnce(
  connection: SecureConnection,
  message: Payload,
  rule: ReplyRule,
): Promise<Exchanged> {
  try {
    return await exchange(connection, message, rule);
  } catch (error) {
    const { remote } = connection;
    throw error instanceof Error ? nameAddress(error, remote && showEndpoint(remote)) : error;
  }
}

async function exchange(connection: SecureConnection, message: Payload, rule: ReplyRule): Promise<Exchanged> {
  const reply = new Reply(rule.until, rule.maxReplyBytes);
  await connection.send(message, { signal: rule.signal });
  for (;;) {
    const left = rule.deadline - performance.now();
    const piece = await pieceWithin(Math.min(left, reply.quiet), connection, rule.signal);
    if (piece === null) return { reply: reply.end(), reusable: false };
    if (piece === SILENCE) {
      if (reply.quiet < left) return { reply: reply.bytes, reusable: true };
      throw new ReplyTimeoutError(rule.timeout, reply.bytes);
    }
    if (reply.add(piece)) return { reply: reply.bytes, reusable: !reply.overrun };
  }
}

const SILENCE = Symbol('silence');

async function pieceWithin(
  wait: number,
  connection: SecureConnection,
  signal: AbortSignal | undefined,
): Promise<Buffer | null | typeof SILENCE> {
  try {
    return await connection.receive({ timeout: Math.max(1, Math.ceil(wait)), signal });
  } catch (error) {
    if (error instanceof ConnectionTimeoutError && error.phase === 'receive') return SILENCE;
    throw error;
  }
}
