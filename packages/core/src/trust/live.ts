/** Judging peers again while they are connected: new CAs, lists or rules hold for them too. */
import { ConnectionTimeoutError } from '../errors/index.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import { showEndpoint, type Endpoint } from '../transport/proxy-header.js';
import { tellVerdict } from './tell-verdict.js';
import type { TrustPolicy } from './trust-policy.js';
import type { Judge } from './verdict.js';

/** A connection as far as its trust goes. */
export interface LivePeer {
  readonly peer: PeerIdentity | null;
  readonly remote: Endpoint | null;
  /** Ends the connection, telling the peer why where the framing can. */
  fail(error: Error): void;
}

/** Judged between two turns of the event loop, so that ten thousand peers hold nobody up. */
const BATCH = 64;

/** Ends those whom the policy no longer trusts; an undecided verdict ends them too. */
export async function judgeLive<T extends LivePeer>(
  judge: Judge,
  role: 'client' | 'server',
  peers: Iterable<T>,
  policyOf: (peer: T) => TrustPolicy,
  deadline: number,
): Promise<void> {
  let judged = 0;
  const pending: Promise<void>[] = [];
  for (const live of [...peers]) {
    pending.push(judgeOne(judge, role, live, policyOf(live), deadline));
    if (++judged % BATCH === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(pending);
}

async function judgeOne(
  judge: Judge,
  role: 'client' | 'server',
  live: LivePeer,
  policy: TrustPolicy,
  deadline: number,
): Promise<void> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new ConnectionTimeoutError(
        'verdict',
        deadline,
        `the verdict on a live peer took over ${deadline} ms`,
      );
      controller.abort(error);
      reject(error);
    }, deadline);
  });
  try {
    const verdict = await Promise.race([judge.judgeAgain(policy, live.peer, controller.signal), late]);
    if (verdict.ok) return;
    tellVerdict(role, showEndpoint(live.remote), verdict, false);
    live.fail(verdict.error);
  } catch (error) {
    live.fail(error as Error);
  } finally {
    clearTimeout(timer);
  }
}
