/** What failures of a connection's calls go through: they name its peer, and are reported where nobody awaits the call. */
export interface CallFailures {
  /** The same error, its message with the peer's address. */
  named<E extends Error>(error: E): E;
  /** @param call what failed, such as `a request` */
  unawaited(error: Error, call: string): void;
}

/** Of parts that stand alone. */
export const standingAlone: CallFailures = { named: (error) => error, unawaited: () => undefined };
