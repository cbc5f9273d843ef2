/** The options of the blocking client, read once. */
import { InvalidOptionError } from '../errors/index.js';
import { parseSslMessage, type SslMessage, type SslMessageOptions } from '../facade/ssl-message-options.js';
import type { Payload } from '../framing/framing.js';
import { flag } from '../options/index.js';

/** As for `sendSslTcpMessage`, but for `signal`: a blocked thread can't hear one. Times are milliseconds. */
export interface SyncSslMessageOptions extends Omit<SslMessageOptions, 'signal'> {
  /**
   * Keeps the connection for the next call to the same server as the same client, until it is unused for 30,000;
   * for servers that go on after a reply. Default false.
   */
  keep?: boolean | undefined;
}

export interface SyncMessage {
  readonly message: SslMessage;
  readonly keep: boolean;
}

/** @throws InvalidOptionError */
export function parseSyncMessage(
  host: string,
  port: number,
  payload: Payload,
  options: SyncSslMessageOptions,
): SyncMessage {
  const { keep: given, ...others } = options;
  if ('signal' in others && others.signal !== undefined) {
    throw new InvalidOptionError('signal', "a blocked thread can't hear a signal; timeout bounds the call");
  }
  const keep = flag('keep', given) ?? false;
  const message = parseSslMessage(host, port, payload, others);
  if (keep && message.until === 'end') {
    throw new InvalidOptionError(
      'keep',
      `keep and until: 'end' contradict each other: the end is the connection's`,
    );
  }
  return { message: { ...message, message: ownBytes(message.message) }, keep };
}

/** A clone of a view clones all that lies under it, so a corner of something larger is copied first. */
function ownBytes(payload: Payload): Payload {
  if (typeof payload === 'string') return payload;
  const whole = payload.byteLength === payload.buffer.byteLength && payload.buffer instanceof ArrayBuffer;
  return whole ? payload : new Uint8Array(payload);
}
