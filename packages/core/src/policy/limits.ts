/**
 * The limits that both sides of a connection share, with their safe defaults. Times are milliseconds, sizes bytes.
 * `docs/defaults.md` gives the reason for each.
 */
import { InvalidOptionError } from '../errors/index.js';
import { isKnsock } from '../framing/index.js';
import {
  integerWithin,
  LONGEST_WAIT,
  milliseconds,
  optionalMilliseconds,
  readAllOptions,
  readOptions,
  withDefault,
  type OptionReaders,
} from '../options/index.js';

/** Asks a silent peer for a sign of life; on the knsock framing only. */
export interface HeartbeatOptions {
  /** How long the peer may be silent before it is pinged. */
  interval: number;
  /** How long it may take to answer. */
  timeout: number;
}

/** The limits of a connection as a program gives them. */
export interface LimitOptions {
  /** A server's: from accept to authorized. At either side: one verification anew of a live peer. A client connects within `connectTimeout`. Default 5,000. */
  handshakeTimeout?: number | undefined;
  /** How long a request may take; default 30,000. */
  requestTimeout?: number | undefined;
  /** How long a peer that doesn't read may hold up what is sent to it; default 30,000. */
  sendTimeout?: number | undefined;
  /** How long `close()` waits for work in flight and the peer's end; default 15,000. */
  drainTimeout?: number | undefined;
  /** Ends a connection on which nothing moved and nothing was in flight for so long; off by default. */
  idleTimeout?: number | false | undefined;
  /** Ends a connection whose peer sends no complete message within this time after admission, milliseconds; off by default. */
  firstMessageTimeout?: number | false | undefined;
  /** Finds half-open peers; off by default. */
  heartbeat?: HeartbeatOptions | undefined;
  /** The largest message accepted; default 1 MiB. */
  maxMessageBytes?: number | undefined;
  /** The most bytes queued for the peer, or received and not yet read by the program; default 4 MiB. */
  maxQueuedBytes?: number | undefined;
  /** The most requests of the peer worked on at once, and messages by an asynchronous listener; default 128. */
  maxRequestsInFlight?: number | undefined;
  /** The most requests of ours that wait to be sent, beside those in flight; default 10,000. */
  maxWaitingRequests?: number | undefined;
}

/** The limits of a connection with nothing left open; `null` is off. */
export interface Limits {
  readonly handshakeTimeout: number;
  readonly requestTimeout: number;
  readonly sendTimeout: number;
  readonly drainTimeout: number;
  readonly idleTimeout: number | null;
  readonly firstMessageTimeout: number | null;
  readonly heartbeat: Readonly<HeartbeatOptions> | null;
  readonly maxMessageBytes: number;
  readonly maxQueuedBytes: number;
  readonly maxRequestsInFlight: number;
  readonly maxWaitingRequests: number;
}

const MEBIBYTE = 1_048_576;
/** Lengths on the wire are unsigned 32-bit numbers, and a header must fit beside the payload. */
const LARGEST_MESSAGE = 0xffff_ffff - 64;

/** How each limit is read, and its default. */
export const limitOptions = {
  handshakeTimeout: withDefault(milliseconds, 5_000),
  requestTimeout: withDefault(milliseconds, 30_000),
  sendTimeout: withDefault(milliseconds, 30_000),
  drainTimeout: withDefault(milliseconds, 15_000),
  idleTimeout: optionalMilliseconds,
  firstMessageTimeout: optionalMilliseconds,
  heartbeat: parseHeartbeat,
  maxMessageBytes: withDefault(integerWithin({ min: 1, max: LARGEST_MESSAGE }), MEBIBYTE),
  maxQueuedBytes: withDefault(integerWithin({ min: 1_024 }), 4 * MEBIBYTE),
  maxRequestsInFlight: withDefault(integerWithin({ min: 1, max: 0xffff_ffff }), 128),
  maxWaitingRequests: withDefault(integerWithin({}), 10_000),
} as const satisfies OptionReaders<LimitOptions>;

/** Fills in the defaults and refuses what makes no sense. */
export function parseLimits(options: LimitOptions): Limits {
  return Object.freeze(readOptions(options, limitOptions));
}

/** Reads the `deadline` of `close()`, in ms; 0 cuts off at once. */
export const closeDeadline = integerWithin({ max: LONGEST_WAIT });

/** The options of a server's `close`. */
export const closeOptions = { deadline: closeDeadline } as const;

/** A heartbeat needs a framing with frames for it. @throws InvalidOptionError */
export function checkHeartbeat({ heartbeat }: Limits, framings: readonly object[]): void {
  if (heartbeat === null || framings.some((framing) => isKnsock(framing))) return;
  throw new InvalidOptionError(
    'heartbeat',
    'heartbeat needs the knsock framing; on others idleTimeout finds connections on which nothing moves',
  );
}

const heartbeatOptions = {
  interval: milliseconds,
  timeout: milliseconds,
} as const satisfies OptionReaders<HeartbeatOptions>;

function parseHeartbeat(
  option: string,
  value: HeartbeatOptions | undefined,
): Readonly<HeartbeatOptions> | null {
  if (value === undefined) return null;
  const { interval, timeout } = readAllOptions(value, heartbeatOptions, option);
  if (interval === undefined || timeout === undefined)
    throw new InvalidOptionError(option, 'heartbeat needs both interval and timeout');
  return Object.freeze({ interval, timeout });
}
