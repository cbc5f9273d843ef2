/** Verifies a server for as long as it stays: one that leaves meanwhile ends the wait, whatever still decides about it. */
import { noConnection } from '../errors/failure-reporter.js';
import { reportingController } from '../errors/reporting-signal.js';
import { raceAbort } from '../waiting/race-abort.js';
import type { TlsStream } from '../transport/tls-stream.js';
import type { PeerChain } from '../trust/peer-chain.js';
import type { PeerVerifier, VerificationResult } from '../trust/peer-verifier.js';
import type { ReachConfig } from './config.js';

/**
 * @param deadline fires when the time to connect is over, or the caller gives up
 * @param left what it means that the server has left, by an error or without one
 * @throws the deadline's reason, or what `left` says
 */
export async function verifyServer(
  verifier: PeerVerifier,
  { trust, failures }: Pick<ReachConfig, 'trust' | 'failures'>,
  chain: PeerChain,
  stream: Pick<TlsStream, 'watchPeer'>,
  deadline: AbortSignal,
  left: (error: Error | undefined) => Error,
): Promise<VerificationResult> {
  // Nothing else takes time, or looks at a signal.
  if (trust.revocation === null && trust.authorize === null) return verifier.verify(trust, chain, deadline);
  const controller = reportingController((error) => {
    failures.report(error, noConnection, 'a listener of a verification’s signal');
  });
  const { signal } = controller;
  const aborted = (): void => {
    controller.abort(deadline.reason);
  };
  deadline.addEventListener('abort', aborted, { once: true });
  if (deadline.aborted) aborted();
  const stop = stream.watchPeer((error) => {
    controller.abort(left(error));
  });
  try {
    const verifying = verifier.verify(trust, chain, signal);
    return verifying instanceof Promise ? await raceAbort(verifying, signal) : verifying;
  } finally {
    stop();
    deadline.removeEventListener('abort', aborted);
  }
}
