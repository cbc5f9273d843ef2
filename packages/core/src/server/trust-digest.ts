/** What a session is bound to: the server's identity, and everything that decided which clients it trusts. */
import { createHash } from 'node:crypto';
import type { Credentials } from '../credentials/credentials.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import type { ClientCertificates } from './trust-state.js';

export interface SessionTrust {
  /** The SNI entry; null for the default. */
  readonly name: string | null;
  readonly credentials: Pick<Credentials, 'certificate' | 'anchorsVersion'>;
  readonly clientCertificates: ClientCertificates;
  readonly trust: Pick<TrustPolicy, 'digest' | 'revocation'>;
}

/**
 * Changes with each of them, in lower-case hex. Of the server's certificate everything counts that clients verify, except its
 * key, serial number and dates: a renewal ends no session, and machines with one name may each have their own key.
 */
export function trustDigest({ name, credentials, clientCertificates, trust }: SessionTrust): string {
  const { certificate, anchorsVersion } = credentials;
  const identity =
    certificate === null
      ? null
      : [
          certificate.subject.toString(),
          certificate.issuer.toString(),
          ...[
            certificate.dnsNames,
            certificate.ipAddresses,
            certificate.uris,
            certificate.emailAddresses,
          ].map(sorted),
        ];
  const revoked = trust.revocation?.version ?? '';
  const words = [name, identity, anchorsVersion, clientCertificates, revoked, trust.digest];
  return createHash('sha256').update(JSON.stringify(words)).digest('hex');
}

function sorted(names: readonly string[]): readonly string[] {
  return names.map((name) => name.toLowerCase()).sort();
}
