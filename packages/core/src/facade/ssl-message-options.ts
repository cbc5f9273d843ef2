/** The options of kn-sock's clients, read once. */
import type { Credentials } from '../credentials/credentials.js';
import type { ConnectOptions } from '../client/config.js';
import { InvalidOptionError } from '../errors/index.js';
import { raw } from '../framing/index.js';
import type { Payload } from '../framing/framing.js';
import {
  anything,
  filePath,
  flag,
  integerWithin,
  milliseconds,
  readAllOptions,
  withDefault,
  type OptionReaders,
} from '../options/index.js';
import { parseReplyEnd, type ReplyEnd } from './reply.js';

/** Which server to trust, our own credentials, and where the reply ends. Times are milliseconds. */
export interface SslMessageOptions {
  /** PEM: the CA of the server; default Node's store. */
  cafile?: string | undefined;
  /** PEM: our certificate, for servers that ask for one. */
  certfile?: string | undefined;
  /** PEM. */
  keyfile?: string | undefined;
  /** False disables verification of the server (insecure). Default true. */
  verify?: boolean | undefined;
  /** From the start to the end of the reply; default 10,000. */
  timeout?: number | undefined;
  /** Where the reply ends; default `{ quiet: 250 }`. */
  until?: ReplyEnd | undefined;
  /** The largest reply accepted; default 64 MiB. */
  maxReplyBytes?: number | undefined;
  /** Gives up. */
  signal?: AbortSignal | undefined;
}

/** The same with nothing left open but the files, which are still to be read. */
export interface SslMessage {
  readonly host: string;
  readonly port: number;
  readonly message: Payload;
  readonly cafile: string | undefined;
  readonly certfile: string | undefined;
  readonly keyfile: string | undefined;
  readonly verify: boolean;
  readonly timeout: number;
  readonly until: ReplyEnd;
  readonly maxReplyBytes: number;
}

/** How each of them is read, and its default. */
export const sslMessageOptions = {
  cafile: filePath<string | undefined>,
  certfile: filePath<string | undefined>,
  keyfile: filePath<string | undefined>,
  verify: withDefault(flag, true),
  timeout: withDefault(milliseconds, 10_000),
  until: anything,
  maxReplyBytes: withDefault(integerWithin({ min: 1 }), 64 * 1_048_576),
  signal: anything,
} as const satisfies OptionReaders<SslMessageOptions>;

/** @throws InvalidOptionError */
export function parseSslMessage(
  host: string,
  port: number,
  message: Payload,
  options: SslMessageOptions,
): SslMessage {
  const { until: _until, signal: _signal, ...read } = readAllOptions(options, sslMessageOptions);
  if (typeof host !== 'string' || host === '') {
    throw new InvalidOptionError('host', 'the first argument is the host: a name or an address');
  }
  if (typeof message !== 'string' && !(message instanceof Uint8Array)) {
    throw new InvalidOptionError('message', `the message must be text or bytes, not ${typeof message}`);
  }
  return { host, port, message, ...read, until: parseReplyEnd(options.until, read.maxReplyBytes) };
}

/** How to connect for it. */
export function connectOptionsOf(message: SslMessage, credentials: Credentials): ConnectOptions {
  const { host, port, certfile, verify, timeout } = message;
  return {
    host,
    port,
    framing: raw(),
    credentials,
    dangerouslySkipVerification: !verify,
    connectTimeout: timeout,
    // A server may refuse a certificate without a word: after a full handshake that shows, after a resumed one the
    // reply would just be empty.
    resume: certfile === undefined,
  };
}
