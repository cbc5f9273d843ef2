/** Judges a server again while the connection lives: a new CA or list holds for it too, and may end it. */
import type { Connection } from '../connection/connection.js';
import { reverify } from '../trust/reverify.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import type { Judge } from '../trust/verdict.js';
import type { ReachConfig } from './config.js';

/** Follows the credentials and the revocation source until the connection is gone. @param judgedBy the verdict so far */
export function followTrust<In, Out>(
  connection: Connection<In, Out>,
  reach: ReachConfig,
  judgedBy: TrustPolicy,
  judge: Judge,
): void {
  const { source, limits } = reach;
  const again = (): void => {
    try {
      const policy = reach.trustWith(source.current);
      void reverify(judge, 'client', [connection], () => policy, limits.handshakeTimeout);
    } catch (error) {
      // What the connection was verified by stays in force.
      reach.failures.report(error, { connection, request: null }, 'taking new credentials');
    }
  };
  const ends = [source.onChange(again), judgedBy.revocation?.onChange(again)];
  void connection.closed.then(() => {
    for (const end of ends) end?.();
  });
  // They may have changed while the handshake was under way.
  if (source.current !== judgedBy.credentials) again();
}
