/** What a session is bound to: who the server is, and everything that decided whom it trusts. */
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
 * Changes with each of them, in lower-case hex. Of the server's certificate all counts that clients verify, but its
 * key, serial number and dates: a renewal ends no session, and machines of one name may have a key each.
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
