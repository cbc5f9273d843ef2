import type { X509Certificate } from './certificate.js';

/** The certificates that may have issued others, by subject; anchors are told from the rest. */
export class IssuerPool {
  readonly #anchors: ReadonlySet<string>;
  readonly #bySubject: ReadonlyMap<string, readonly X509Certificate[]>;
  readonly #at: number;

  /** @param at milliseconds; certificates that are valid then come first */
  constructor(anchors: readonly X509Certificate[], intermediates: readonly X509Certificate[], at: number) {
    this.#anchors = new Set(anchors.map(({ fingerprint256 }) => fingerprint256));
    this.#bySubject = groupBySubject([...anchors, ...intermediates]);
    this.#at = at;
  }

  isAnchor({ fingerprint256 }: X509Certificate): boolean {
    return this.#anchors.has(fingerprint256);
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

function groupBySubject(certificates: readonly X509Certificate[]): Map<string, X509Certificate[]> {
  const distinct = new Map(certificates.map((certificate) => [certificate.fingerprint256, certificate]));
  const groups = new Map<string, X509Certificate[]>();
  for (const certificate of distinct.values()) {
    const { key } = certificate.subject;
    const group = groups.get(key);
    if (group) group.push(certificate);
    else groups.set(key, [certificate]);
  }
  return groups;
}

const isSameAuthority = (a: X509Certificate, b: X509Certificate): boolean =>
  a.subject.equals(b.subject) && a.publicKeyInfo.der.equals(b.publicKeyInfo.der);
