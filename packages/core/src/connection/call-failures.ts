import { EasySocketError } from '../errors/index.js';

/** What failures of a connection's calls go through: they name its peer, and are reported where nobody awaits the call. */
export interface CallFailures {
  /** The same error, its message with the peer's address. */
  named<E extends Error>(error: E): E;
  /** @param call what failed, such as `a request` */
  unawaited(error: Error, call: string): void;
}

/** Of parts that stand alone. */
export const standingAlone: CallFailures = { named: (error) => error, unawaited: () => undefined };

/** Why a second consumer is refused. @param of what it wants to consume */
export function consumed(
  failures: Pick<CallFailures, 'named'>,
  of: 'messages' | 'requests',
  why: string,
): EasySocketError {
  const message = `the ${of} of this connection have a consumer already: ${why}`;
  return failures.named(new EasySocketError('KNSOCK_CONSUMED', message));
}
