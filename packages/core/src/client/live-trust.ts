/** Verifies a server again while it is connected: a new CA or list applies to it too, and may end the connection. */
import type { Connection } from '../connection/connection.js';
import { followChanges } from '../credentials/source.js';
import { reverify } from '../trust/reverify.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import type { PeerVerifier } from '../trust/peer-verifier.js';
import type { ReachConfig } from './config.js';

/**
 * Follows the credentials and the revocation source until the connection is gone.
 * @param policy the policy that verified the peer
 */
export function followTrust<In, Out>(
  connection: Connection<In, Out>,
  reach: ReachConfig,
  policy: TrustPolicy,
  verifier: PeerVerifier,
): void {
  const { source, limits, failures } = reach;
  const again = (): void => {
    try {
      const current = reach.trustWith(source.current);
      void reverify(verifier, 'client', [connection], () => current, limits.handshakeTimeout, failures);
    } catch (error) {
      // The policy that verified the connection stays in force.
      failures.report(error, { connection, request: null }, 'taking new credentials');
    }
  };
  const { revocation } = policy;
  const sources = revocation === null ? [source] : [source, revocation];
  void connection.closed.then(followChanges(sources, again, failures, { connection, request: null }));
  // They may have changed during the handshake.
  if (source.current !== policy.credentials) again();
}
