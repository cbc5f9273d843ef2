/**
 * A root that follows another (RFC 7030 4.1.3, RFC 4210 4.4): it is believed because the old root's key has signed the new
 * one's, never because it came over TLS. Pure.
 */
import { isIssuedBy, type X509Certificate } from '@knsock/core/x509';

/**
 * Whom to trust from now on: those known as long as they are valid, and the offered roots that one of them vouches for.
 * @param offered the authority's certificates: new roots, each with the certificate of its key by an old root
 */
export function nextRoots(
  known: readonly X509Certificate[],
  offered: readonly X509Certificate[],
  at: Date,
): X509Certificate[] {
  const vouched = offered.filter(
    (root) =>
      isRoot(root, at) &&
      !known.some(({ fingerprint256 }) => fingerprint256 === root.fingerprint256) &&
      offered.some(
        (link) => vouchesFor(link, root, at) && known.some((old) => isRoot(old, at) && isIssuedBy(link, old)),
      ),
  );
  const valid = known.filter((root) => at <= root.notAfter);
  // An expired set is better than none: it says whom was trusted.
  return [...(valid.length + vouched.length === 0 ? known : valid), ...vouched];
}

function isRoot(certificate: X509Certificate, at: Date): boolean {
  return isAuthority(certificate) && isValid(certificate, at) && isIssuedBy(certificate, certificate);
}

/** The new root's name and key, in a certificate that another key has signed. */
function vouchesFor(link: X509Certificate, root: X509Certificate, at: Date): boolean {
  const isSame = link.subject.equals(root.subject) && link.publicKeyInfo.der.equals(root.publicKeyInfo.der);
  return isSame && isAuthority(link) && isValid(link, at);
}

const isAuthority = ({ basicConstraints }: X509Certificate): boolean => basicConstraints?.ca === true;
const isValid = ({ notBefore, notAfter }: X509Certificate, at: Date): boolean =>
  notBefore <= at && at <= notAfter;
