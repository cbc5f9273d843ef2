import { X509Certificate } from './certificate.js';
import { commonMarks } from './formats/trusted.js';

/** The certificates that may have issued others, by subject; anchors are kept apart from the rest. */
export class IssuerPool {
  readonly #anchors: ReadonlyMap<string, X509Certificate>;
  readonly #bySubject: ReadonlyMap<string, readonly X509Certificate[]>;
  readonly #at: number;

  /** @param at milliseconds; certificates that are valid then come first */
  constructor(anchors: readonly X509Certificate[], intermediates: readonly X509Certificate[], at: number) {
    this.#anchors = distinct(anchors);
    // Of a certificate that is both, the anchor counts, with its marks.
    this.#bySubject = groupBySubject(new Map([...distinct(intermediates), ...this.#anchors]));
    this.#at = at;
  }

  isAnchor({ fingerprint256 }: X509Certificate): boolean {
    return this.#anchors.has(fingerprint256);
  }

  /** The same certificate as it stands among the anchors, where it does. */
  asAnchor(certificate: X509Certificate): X509Certificate {
    return this.#anchors.get(certificate.fingerprint256) ?? certificate;
  }

  /**
   * Those of the name of the last certificate's issuer, the likeliest first, without the ones whose name and key are
   * on the path already, under whichever certificate (RFC 4158 5.2): they would lead in circles.
   */
  issuersFor(path: readonly X509Certificate[]): X509Certificate[] {
    const subject = path.at(-1) as X509Certificate;
    const named = this.#bySubject.get(subject.issuer.key) ?? [];
    const fresh = named.filter((issuer) => !path.some((member) => isSameAuthority(member, issuer)));
    const ranked = fresh.map((issuer) => ({ issuer, rank: this.#rank(subject, issuer) }));
    return ranked.sort((a, b) => b.rank - a.rank).map(({ issuer }) => issuer);
  }

  /** Key identifiers are hints: they order, the signature decides. */
  #rank({ authorityKeyIdentifier }: X509Certificate, issuer: X509Certificate): number {
    const wanted = authorityKeyIdentifier?.keyIdentifier;
    const own = issuer.subjectKeyIdentifier;
    const keyRank = wanted && own ? (wanted.equals(own) ? 4 : -4) : 0;
    const isCurrent = issuer.notBefore.getTime() <= this.#at && this.#at <= issuer.notAfter.getTime();
    return keyRank + (this.isAnchor(issuer) ? 2 : 0) + (isCurrent ? 1 : 0);
  }
}

function distinct(certificates: readonly X509Certificate[]): Map<string, X509Certificate> {
  const found = new Map<string, X509Certificate>();
  for (const certificate of certificates) {
    const { fingerprint256, der, trustMarks } = certificate;
    const earlier = found.get(fingerprint256);
    if (earlier === undefined || earlier.trustMarks === trustMarks) found.set(fingerprint256, certificate);
    else found.set(fingerprint256, new X509Certificate(der, commonMarks(earlier.trustMarks, trustMarks)));
  }
  return found;
}

function groupBySubject(certificates: ReadonlyMap<string, X509Certificate>): Map<string, X509Certificate[]> {
  const groups = new Map<string, X509Certificate[]>();
  for (const certificate of certificates.values()) {
    const { key } = certificate.subject;
    const group = groups.get(key);
    if (group) group.push(certificate);
    else groups.set(key, [certificate]);
  }
  return groups;
}

const isSameAuthority = (a: X509Certificate, b: X509Certificate): boolean =>
  a.subject.equals(b.subject) && a.publicKeyInfo.der.equals(b.publicKeyInfo.der);
