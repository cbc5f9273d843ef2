/** Verifies a server for as long as it stays: one that leaves meanwhile ends the wait, even while a check is running. */
import { noConnection } from '../errors/failure-reporter.js';
import { reportingController } from '../errors/reporting-signal.js';
import { raceAbort } from '../waiting/race-abort.js';
import type { TlsStream } from '../transport/tls-stream.js';
import type { PeerChain } from '../trust/peer-chain.js';
import type { PeerVerifier, VerificationResult } from '../trust/peer-verifier.js';
import type { ReachConfig } from './config.js';
import { offAbort, onAbort } from '../waiting/on-abort.js';

/**
 * @param deadline fires when the connect timeout is over, or the caller aborts
 * @param left the error for a server that has left, by an error or without one
 * @throws the deadline's reason, or what `left` returns
 */
export async function verifyServer(
  verifier: PeerVerifier,
  { trust, failures }: Pick<ReachConfig, 'trust' | 'failures'>,
  chain: PeerChain,
  stream: Pick<TlsStream, 'watchPeer'>,
  deadline: AbortSignal,
  left: (error: Error | undefined) => Error,
): Promise<VerificationResult> {
  // No other check is asynchronous, or uses a signal.
  if (trust.revocation === null && trust.authorize === null) return verifier.verify(trust, chain, deadline);
  const controller = reportingController((error) => {
    failures.report(error, noConnection, "a listener of a verification's signal");
  });
  const { signal } = controller;
  const aborted = (): void => {
    controller.abort(deadline.reason);
  };
  onAbort(deadline, aborted);
  if (deadline.aborted) aborted();
  const stop = stream.watchPeer((error) => {
    controller.abort(left(error));
  });
  try {
    const verifying = verifier.verify(trust, chain, signal);
    return verifying instanceof Promise ? await raceAbort(verifying, signal) : verifying;
  } finally {
    stop();
    offAbort(deadline, aborted);
  }
}
