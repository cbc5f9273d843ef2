/** Revocation by one or more lists, for the peer's certificate only or its whole chain. */
import { InvalidOptionError } from '../errors/index.js';
import { checkOptions, list, type OptionReaders } from '../options/index.js';
import { parseCertificates, X509Certificate } from '../x509/certificate.js';
import { CertificateRevocationList, parseCrls } from '../x509/crl.js';
import { checkPathRevocation } from '../x509/path-revocation.js';
import {
  revocationPolicy,
  revocationPolicyReaders,
  type RevocationPolicyOptions,
} from '../x509/revocation-policy.js';
import { toRevocationVerdict } from '../x509/revocation-verdict.js';
import type { RevocationSource } from './revocation.js';
import { sha256 } from './sha256.js';

export interface CrlRevocationOptions extends RevocationPolicyOptions {
  /** The contents of lists, as PEM (every list of a bundle counts) or DER. */
  readonly crls: readonly (CertificateRevocationList | string | Uint8Array)[];
  /**
   * Certificates of CRL issuers that aren't on a peer's path: a CA's other keys, issuers of indirect lists, and the CAs
   * above them. Each needs a path to the anchor that the peer's path ends at.
   */
  readonly issuers?: readonly (X509Certificate | string | Uint8Array)[] | undefined;
}

const readers: OptionReaders<CrlRevocationOptions> = {
  ...revocationPolicyReaders,
  crls: list,
  issuers: list,
};

/**
 * A source that looks up certificates in lists. For lists that are fetched and refreshed see `revocationSource` of
 * `@knsock/certs`; to replace lists, `rotate` with a new source, or watch credentials that have a `crlFile`.
 * @throws InvalidOptionError, MalformedDerError
 */
export function crlRevocation(options: CrlRevocationOptions): RevocationSource {
  checkOptions(options, readers);
  if ((options.crls as unknown) === undefined)
    throw new InvalidOptionError('crls', 'crls must be a list of revocation lists');
  const crls = options.crls.flatMap((crl) =>
    crl instanceof CertificateRevocationList ? [crl] : parseCrls(crl),
  );
  if (crls.length === 0) throw new InvalidOptionError('crls', 'crls holds no revocation list');
  const issuers = (options.issuers ?? []).flatMap((issuer) =>
    issuer instanceof X509Certificate ? [issuer] : parseCertificates(issuer),
  );
  const policy = revocationPolicy(options);
  const rules = Buffer.from(JSON.stringify(policy));
  return {
    version: sha256(Buffer.concat([rules, ...[...crls, ...issuers].map(({ der }) => der)])),
    onChange: () => () => undefined,
    check: (path, { at }) =>
      toRevocationVerdict(checkPathRevocation({ path, crls, issuers, at: at.getTime(), policy })),
  };
}
