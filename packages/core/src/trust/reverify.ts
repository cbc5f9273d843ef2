/**
 * Verifying peers again while they are connected: new CAs, lists or rules hold for them too. Every peer is verified,
 * whatever closes or throws meanwhile: a failure ends the one connection that it concerns.
 */
import { asError } from '../errors/as-error.js';
import { ConnectionTimeoutError } from '../errors/index.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import { showEndpoint, type Endpoint } from '../transport/proxy-header.js';
import { tellVerdict } from './tell-verdict.js';
import type { TrustPolicy } from './trust-policy.js';
import type { Judge, Verdict } from './verdict.js';

/** A connection as far as its trust goes. */
export interface LivePeer {
  readonly peer: PeerIdentity | null;
  readonly remote: Endpoint | null;
  /** Ends the connection, telling the peer why where the framing can. */
  fail(error: Error): void;
  destroy(error?: Error): void;
}

/** Verified between two turns of the event loop, so that ten thousand peers hold nobody up. */
const BATCH = 64;

/**
 * Ends those whom the policy no longer trusts; an undecided verdict ends them too. Never rejects.
 * @param deadline for each verdict, in milliseconds
 */
export async function reverify<T extends LivePeer>(
  judge: Judge,
  role: 'client' | 'server',
  peers: Iterable<T>,
  policyOf: (peer: T) => TrustPolicy,
  deadline: number,
): Promise<void> {
  let verified = 0;
  const pending: Promise<void>[] = [];
  for (const live of [...peers]) {
    const verdict = verdictOn(judge, live, policyOf, deadline);
    if (verdict instanceof Promise) pending.push(verdict.then((late) => conclude(role, live, late)));
    else conclude(role, live, verdict);
    if (++verified % BATCH === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(pending);
}

/** Never throws nor rejects: what goes wrong refuses. */
function verdictOn<T extends LivePeer>(
  judge: Judge,
  live: T,
  policyOf: (peer: T) => TrustPolicy,
  deadline: number,
): Verdict | Error | Promise<Verdict | Error> {
  try {
    const controller = new AbortController();
    const verdict = judge.judgeAgain(policyOf(live), live.peer, controller.signal);
    return verdict instanceof Promise ? within(deadline, verdict, controller).catch(asError) : verdict;
  } catch (error) {
    return asError(error);
  }
}

async function within<T>(deadline: number, work: Promise<T>, controller: AbortController): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const words = `the verdict on a live peer took over ${deadline} ms`;
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
function conclude(role: 'client' | 'server', live: LivePeer, verdict: Verdict | Error): void {
  if (!(verdict instanceof Error) && verdict.ok) return;
  const error = verdict instanceof Error ? verdict : verdict.error;
  try {
    if (!(verdict instanceof Error)) tellVerdict(role, showEndpoint(live.remote), verdict, false);
    live.fail(error);
  } catch {
    live.destroy(error);
  }
}
