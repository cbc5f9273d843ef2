import type { X509Certificate } from './certificate.js';
import { keyWeakness } from './key-strength.js';
import { ruleSets } from './rules.js';
import { schemeProblem, verifySignature } from './signature.js';

/**
 * Whether `issuer` bears the name that the certificate gives and signed it; a signature by an algorithm that isn't relied on
 * counts, since refusing it is for the validation of the path. Says nothing of whether the issuer may sign.
 */
export function mayHaveIssued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return (
    certificate.issuer.equals(issuer.subject) &&
    verifySignature(certificate, () => issuer.publicKey).status !== 'bad'
  );
}

/** Whether `issuer` signed the certificate, by an algorithm that is relied on, and bears the name it gives. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return (
    certificate.issuer.equals(issuer.subject) &&
    verifySignature(certificate, () => issuer.publicKey).status === 'good'
  );
}

/** What makes its key too weak to use, as the end of a sentence ("certificate x …"); undefined where nothing does. */
export function keyFault({ publicKeyInfo }: X509Certificate): string | undefined {
  const weakness = keyWeakness(publicKeyInfo, ruleSets.private);
  return weakness && `has ${weakness}`;
}

/** What makes a certificate too weak to use, as the end of a sentence ("certificate x …"); undefined where nothing does. */
export function certificateWeakness(certificate: X509Certificate): string | undefined {
  const key = keyFault(certificate);
  if (key !== undefined) return key;
  if (certificate.isSelfIssued) return undefined;
  const signature = schemeProblem(certificate);
  return signature?.status === 'weak' ? `is signed with ${signature.problem}` : undefined;
}

/** Why its signature isn't relied on, whichever key made it: SHA-1, an unknown algorithm, odd parameters; undefined where it may be. */
export function signatureWeakness(certificate: X509Certificate): string | undefined {
  // Nobody relies on a root's own signature.
  if (certificate.isSelfIssued) return undefined;
  return schemeProblem(certificate)?.problem;
}
