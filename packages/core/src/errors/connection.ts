import type { ErrorCode } from './codes.js';
import { EasySocketError, type ErrorDetails } from './base.js';

/** The connection couldn't be made, or ended. */
export class ConnectionError extends EasySocketError {
  static override readonly brand: string = 'ConnectionError';
}

/** What a wait was for when its time ran out. */
export type TimeoutPhase =
  | 'dns'
  | 'tcp'
  | 'tls'
  | 'welcome'
  | 'handshake'
  | 'first-message'
  | 'idle'
  | 'heartbeat'
  | 'receive'
  | 'request'
  | 'send'
  | 'verdict'
  | 'drain'
  | 'reply';

const timeoutCodes: Partial<Record<TimeoutPhase, ErrorCode>> = {
  handshake: 'KNSOCK_HANDSHAKE_TIMEOUT',
  'first-message': 'KNSOCK_FIRST_MESSAGE_TIMEOUT',
  idle: 'KNSOCK_IDLE_TIMEOUT',
  heartbeat: 'KNSOCK_HEARTBEAT_TIMEOUT',
  receive: 'KNSOCK_RECEIVE_TIMEOUT',
  request: 'KNSOCK_REQUEST_TIMEOUT',
  send: 'KNSOCK_SEND_TIMEOUT',
  verdict: 'KNSOCK_VERDICT_TIMEOUT',
  drain: 'KNSOCK_DRAIN_TIMEOUT',
  reply: 'KNSOCK_REPLY_TIMEOUT',
};

/** A deadline passed; `phase` names what timed out, and `ms` is the time that was allowed. */
export class ConnectionTimeoutError extends ConnectionError {
  static override readonly brand: string = 'ConnectionTimeoutError';
  /** The phase that timed out. */
  readonly phase: TimeoutPhase;
  /** How long. */
  readonly ms: number;

  constructor(phase: TimeoutPhase, ms: number, message: string, details?: ErrorDetails) {
    super(timeoutCodes[phase] ?? 'KNSOCK_CONNECT_TIMEOUT', message, details);
    this.phase = phase;
    this.ms = ms;
  }
}

/** A reply didn't end in time; `received` is the part that arrived. */
export class ReplyTimeoutError extends ConnectionTimeoutError {
  static override readonly brand: string = 'ReplyTimeoutError';
  /** What was received until then. */
  readonly received: Buffer;

  constructor(ms: number, received: Buffer, details?: ErrorDetails) {
    const came = received.length === 0 ? 'nothing' : `${received.length.toLocaleString('en')} bytes`;
    super('reply', ms, `the reply didn't end within ${ms.toLocaleString('en')} ms; ${came} came`, details);
    this.received = received;
  }
}

/** Nothing listens at that address. */
export class ConnectionRefusedError extends ConnectionError {
  static override readonly brand: string = 'ConnectionRefusedError';

  constructor(message: string, details?: ErrorDetails) {
    super('KNSOCK_CONNECTION_REFUSED', message, details);
  }
}

/** The connection is closed; `clean` says whether its end was announced (`'unknown'` where the framing can't tell). */
export class ConnectionClosedError extends ConnectionError {
  static override readonly brand: string = 'ConnectionClosedError';
  /** Whether the peer ended it by the rules. */
  readonly clean: true | false | 'unknown';

  constructor(clean: true | false | 'unknown', message: string, details?: ErrorDetails) {
    super('KNSOCK_CONNECTION_CLOSED', message, details);
    this.clean = clean;
  }
}

/** What a server's end before its first byte can mean. */
export type EarlyEndCause = 'client-certificate' | 'framing' | 'handler';

/** The server ended the connection before it sent anything; `causes` says what that can mean, the likeliest first. */
export class EarlyEndError extends ConnectionError {
  static override readonly brand: string = 'EarlyEndError';
  /** What the evidence allows, the likeliest first. */
  readonly causes: readonly EarlyEndCause[];

  constructor(causes: readonly EarlyEndCause[], message: string, details?: ErrorDetails) {
    super('KNSOCK_CONNECTION_ENDED_EARLY', message, details);
    this.causes = causes;
  }
}

/** Another program listens on that port or path already. */
export class PortInUseError extends ConnectionError {
  static override readonly brand: string = 'PortInUseError';
  /** The port, or the path of a Unix socket. */
  readonly port: number | string;

  constructor(port: number | string, message: string, details?: ErrorDetails) {
    super('KNSOCK_PORT_IN_USE', message, details);
    this.port = port;
  }
}

/** The server is closing and accepts no new work. */
export class ServerDrainingError extends ConnectionError {
  static override readonly brand: string = 'ServerDrainingError';

  constructor(message: string, details?: ErrorDetails) {
    super('KNSOCK_SERVER_DRAINING', message, details);
  }
}
