import type { ErrorCode } from './codes.js';
import { EasySocketError, type ErrorDetails } from './base.js';

/** Bytes or calls that break the framing's rules. */
export class ProtocolError extends EasySocketError {
  static override readonly brand: string = 'ProtocolError';

  constructor(message: string, details?: ErrorDetails, code: ErrorCode = 'KNSOCK_MALFORMED_FRAME') {
    super(code, message, details);
  }
}

/** A message is larger than a side accepts; nothing of it was sent, or kept. Sizes are bytes. */
export class MessageTooLargeError extends ProtocolError {
  static override readonly brand: string = 'MessageTooLargeError';
  /** Bytes, as far as they are known. */
  readonly size: number;
  /** Bytes allowed. */
  readonly limit: number;

  constructor(size: number, limit: number, details?: ErrorDetails) {
    super(
      `message of ${size.toLocaleString('en')} bytes is over the limit of ${limit.toLocaleString('en')}`,
      details,
      'KNSOCK_MESSAGE_TOO_LARGE',
    );
    this.size = size;
    this.limit = limit;
  }
}

/** The connection ended inside a message. */
export class TruncatedMessageError extends ProtocolError {
  static override readonly brand: string = 'TruncatedMessageError';
  /** What came of it, where it was kept. */
  readonly received: Buffer | undefined;

  constructor(message: string, details?: ErrorDetails & { received?: Buffer }) {
    super(message, details, 'KNSOCK_TRUNCATED_MESSAGE');
    this.received = details?.received;
  }
}

/** The two sides speak different framings. */
export class FramingMismatchError extends ProtocolError {
  static override readonly brand: string = 'FramingMismatchError';

  constructor(message: string, details?: ErrorDetails) {
    super(message, details, 'KNSOCK_FRAMING_MISMATCH');
  }
}

/** Where a message fails its schema: the field, as in `user.name` or `items.3` (empty: the whole), and what is wrong. */
export interface JsonIssue {
  /** Where in the value, such as `items.2.name`. */
  readonly path: string;
  /** What is wrong there. */
  readonly message: string;
}

/** A message isn't JSON, or doesn't fit its schema. */
export class InvalidJsonError extends ProtocolError {
  static override readonly brand: string = 'InvalidJsonError';
  /** Where the text stops being JSON, in characters (UTF-16 code units) from 0. */
  readonly position: number | undefined;
  /** The fields at fault; empty where the text isn't JSON at all. */
  readonly issues: readonly JsonIssue[];

  constructor(
    message: string,
    details: ErrorDetails & { position?: number; issues?: readonly JsonIssue[] } = {},
  ) {
    super(message, details, 'KNSOCK_INVALID_JSON');
    this.position = details.position;
    this.issues = details.issues ?? [];
  }
}

/** The peer's handler failed; `remoteCode` is the code it chose, or `'internal'`. */
export class RemoteHandlerError extends ProtocolError {
  static override readonly brand: string = 'RemoteHandlerError';
  /** The code that the peer's error had. */
  readonly remoteCode: string;

  constructor(remoteCode: string, message: string, details?: ErrorDetails) {
    const hint = 'remoteCode says why the peer refused; act on it.';
    super(message, remoteCode === 'internal' ? details : { hint, ...details }, 'KNSOCK_REMOTE_HANDLER');
    this.remoteCode = remoteCode;
  }
}

/** The peer provably never started this request: it may be sent again elsewhere without being done twice. */
export class RequestNotStartedError extends ProtocolError {
  static override readonly brand: string = 'RequestNotStartedError';

  constructor(message: string, details?: ErrorDetails) {
    super(message, details, 'KNSOCK_REQUEST_NOT_STARTED');
  }
}
