import { InvalidOptionError } from './option.js';

/** Lengths of codes are one byte on the wire. */
const LONGEST_CODE = 255;

/**
 * Thrown by a request handler to answer with a failure of its own: the only handler error whose text crosses the wire.
 * Every other error reaches the peer as `internal`, without its text.
 */
export class RequestError extends Error {
  /** The code that the asking side sees as `remoteCode`. */
  readonly code: string;

  /**
   * @param code text of 1 to 255 bytes
   * @throws InvalidOptionError for anything else, such as a number
   */
  constructor(code: string, message: string) {
    super(requireText('message', message));
    this.name = 'RequestError';
    this.code = requireCode(code);
  }
}

function requireCode(code: string): string {
  const bytes = Buffer.byteLength(requireText('code', code));
  if (bytes >= 1 && bytes <= LONGEST_CODE) return code;
  throw new InvalidOptionError(
    'code',
    `the code of a RequestError is text of 1 to ${LONGEST_CODE} bytes, not of ${bytes}`,
  );
}

function requireText(option: string, value: string): string {
  if (typeof value === 'string') return value;
  const given = value === null ? 'null' : typeof value;
  throw new InvalidOptionError(option, `the ${option} of a RequestError must be text, not ${given}`, {
    hint: "Give a RequestError a code and a message, both text: new RequestError('not-found', 'no such page').",
  });
}
