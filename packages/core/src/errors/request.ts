/**
 * Thrown by a request handler to answer with a failure of its own: the only handler error whose text crosses the wire.
 * Every other error reaches the peer as `internal`, without its text.
 */
export class RequestError extends Error {
  /** The code that the asking side sees as `remoteCode`; at most 255 bytes. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
  }
}
