/**
 * Root rollover (RFC 7030 4.1.3, RFC 4210 4.4): a new root is trusted because the old root's key has signed its
 * key, never because it was received over TLS. Pure.
 */
import { isIssuedBy, type X509Certificate } from '@knsock/core/x509';

/**
 * The roots to trust from now on: known ones while they are valid, and offered roots that one of them has signed.
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
  // An expired set is better than none: it shows which roots were trusted.
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
