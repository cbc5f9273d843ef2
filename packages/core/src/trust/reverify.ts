/**
 * Verifying peers again while they are connected: new CAs, lists or rules hold for them too. Every peer is verified,
 * even when others close or throw meanwhile: a failure ends only the connection that it concerns.
 */
import { asError } from '../errors/as-error.js';
import { noConnection, type FailureReporter } from '../errors/failure-reporter.js';
import { ConnectionTimeoutError } from '../errors/index.js';
import { reportingController } from '../errors/reporting-signal.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import { showEndpoint, type Endpoint } from '../transport/proxy-header.js';
import { publishVerification } from './publish-verification.js';
import type { TrustPolicy } from './trust-policy.js';
import type { PeerVerifier, VerificationResult } from './peer-verifier.js';

/** The part of a connection that verification needs. */
export interface LivePeer {
  readonly peer: PeerIdentity | null;
  readonly remote: Endpoint | null;
  /** The Unix socket that it was accepted on; null on TCP. */
  readonly path?: string | null;
  /** Ends the connection, with the reason sent to the peer where the framing can. */
  fail(error: Error): void;
  destroy(error?: Error): void;
}

/** How many are verified per turn of the event loop, so that ten thousand peers don't block it. */
const BATCH = 64;

/**
 * Ends connections whose peer the policy no longer trusts, or whose verification stays undecided. Never rejects.
 * @param deadline for each verification, in milliseconds
 * @param failures receives what the program's listeners of a verification's signal throw
 */
export async function reverify<T extends LivePeer>(
  verifier: PeerVerifier,
  role: 'client' | 'server',
  peers: Iterable<T>,
  policyOf: (peer: T) => TrustPolicy,
  deadline: number,
  failures: FailureReporter,
): Promise<void> {
  let verified = 0;
  const pending: Promise<void>[] = [];
  for (const live of [...peers]) {
    const result = verifyLive(verifier, live, policyOf, deadline, failures);
    if (result instanceof Promise) pending.push(result.then((late) => conclude(role, live, late)));
    else conclude(role, live, result);
    if (++verified % BATCH === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(pending);
}

/** Never throws nor rejects: any failure refuses. */
function verifyLive<T extends LivePeer>(
  verifier: PeerVerifier,
  live: T,
  policyOf: (peer: T) => TrustPolicy,
  deadline: number,
  failures: FailureReporter,
): VerificationResult | Error | Promise<VerificationResult | Error> {
  try {
    const controller = reportingController((error) => {
      failures.report(error, noConnection, "a listener of a verification's signal");
    });
    const result = verifier.reverify(policyOf(live), live.peer, controller.signal);
    return result instanceof Promise ? within(deadline, result, controller).catch(asError) : result;
  } catch (error) {
    return asError(error);
  }
}

async function within<T>(deadline: number, work: Promise<T>, controller: AbortController): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const words = `verifying a live peer took over ${deadline} ms`;
      const error = new ConnectionTimeoutError('verdict', deadline, words);
      controller.abort(error);
      reject(error);
    }, deadline);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Never throws: the next peer must be verified too. */
function conclude(role: 'client' | 'server', live: LivePeer, result: VerificationResult | Error): void {
  if (!(result instanceof Error) && result.ok) return;
  const error = result instanceof Error ? result : result.error;
  try {
    if (!(result instanceof Error))
      publishVerification(role, { address: showEndpoint(live.remote, live.path ?? null) }, result, false);
    live.fail(error);
  } catch {
    live.destroy(error);
  }
}
