/**
 * The revocation lists that a source holds, location by location.
 *
 * A fetched list proves nothing by itself: over plain http an attacker could forge one with a later date. So a
 * list counts as proven once its signature is verified with an issuer from a peer's path, or a configured one; a proven
 * list is only replaced by a newer proven one. Unproven ones are kept beside it until an issuer can verify them.
 */
import {
  isLaterList,
  isSameSeries,
  verifyCrlSignature,
  type CertificateRevocationList,
  type X509Certificate,
} from '@knsock/core/x509';
import type { CrlLocation } from './crl-location.js';
import { hexFingerprint } from '../files/fingerprint.js';

type Lists = readonly CertificateRevocationList[];

/** Maximum of issuers remembered; the oldest is dropped. */
const MAX_ISSUERS = 256;
/** Maximum of lists kept per location. */
export const LISTS_PER_LOCATION = 100;

export class HeldLists {
  readonly #lists = new Map<CrlLocation, Lists>();
  readonly #issuers = new Map<string, X509Certificate>();

  /** Every list held. */
  all(): CertificateRevocationList[] {
    return [...this.#lists.values()].flat();
  }

  /** The lists of one location. */
  of(location: CrlLocation): Lists {
    return this.#lists.get(location) ?? [];
  }

  /** The issuers remembered; some may have signed lists of certificates that others issued. */
  issuers(): X509Certificate[] {
    return [...this.#issuers.values()];
  }

  /** Changes whenever the lists change. */
  get version(): string {
    const fingerprints = this.all().map((crl) => crl.fingerprint256);
    return hexFingerprint(Buffer.from(fingerprints.join()));
  }

  /** Remembers issuers whose lists are valid. */
  learn(issuers: readonly X509Certificate[]): void {
    for (const issuer of issuers) {
      this.#issuers.delete(issuer.fingerprint256);
      this.#issuers.set(issuer.fingerprint256, issuer);
    }
    for (const oldest of [...this.#issuers.keys()].slice(0, -MAX_ISSUERS)) this.#issuers.delete(oldest);
  }

  /** Adds the lists fetched from a location. */
  take(location: CrlLocation, fetched: Lists): void {
    const held = this.#lists.get(location) ?? [];
    const kept = fetched.flatMap((crl) =>
      this.#keep(held.find((one) => one.der.equals(crl.der)) ?? crl, held),
    );
    // A location that has lost a list, or answers with another CA's, doesn't make revoked certificates valid again.
    const missing = held.filter((one) => this.#isProven(one) && !kept.some((crl) => isSameSeries(crl, one)));
    this.#lists.set(location, [...new Set([...kept, ...missing])].slice(0, 2 * LISTS_PER_LOCATION));
  }

  /** The lists to keep of one series once `crl` was fetched. */
  #keep(crl: CertificateRevocationList, held: Lists): Lists {
    const series = [crl, ...held.filter((one) => isSameSeries(one, crl))];
    const proven = newest(series.filter((one) => this.#isProven(one)));
    if (proven === undefined) return [crl, newest(series) ?? crl];
    return this.#isProven(crl) ? [proven] : [proven, crl];
  }

  #isProven(crl: CertificateRevocationList): boolean {
    return [...this.#issuers.values()].some((issuer) => verifyCrlSignature(crl, issuer));
  }
}

function newest(lists: Lists): CertificateRevocationList | undefined {
  return [...lists].sort(byAge).at(-1);
}

function byAge(one: CertificateRevocationList, other: CertificateRevocationList): number {
  if (isLaterList(one, other)) return 1;
  return isLaterList(other, one) ? -1 : 0;
}
