// Authorities and what they sign
export {
  createAuthority,
  loadAuthority,
  type Authority,
  type AuthorityFiles,
  type CrlOptions,
  type Signed,
} from './authority.js';
export {
  createDevelopmentAuthority,
  localNames,
  type DevelopmentAuthority,
  type DevelopmentAuthorityOptions,
} from './development-authority.js';
export { type AuthorityOptions } from './authority-certificate.js';
export {
  createSelfSigned,
  type Issued,
  type IssueOptions,
  type LeafOptions,
  type SelfSignedOptions,
} from './issue.js';
export { type CertificateKind } from './extensions.js';
export { type NameConstraintOptions } from './name-constraints.js';
export { type Subject } from './subject.js';
export { type KeyType } from './keys.js';

// Requests
export { createCsr, readCsr, type CsrFacts, type CsrOptions } from './csr.js';
export { type SigningPolicy } from './signing-policy.js';

// Formats
export { convertKey, derToPem, pemToDer, type ConvertKeyOptions } from './formats.js';
export { fullChain } from './chain.js';
export { keyMatches } from './key-matches.js';
export { toPkcs12, type Pkcs12Content } from './pkcs12.js';
export { fromPkcs12 } from './pkcs12-reader.js';
export { type Pkcs12Parts } from './pkcs12-parts.js';

// Looking at them
export { inspect, type Inspected, type Inspection, type InspectOptions } from './inspect.js';
export {
  type InspectedCertificate,
  type InspectedCrl,
  type InspectedKey,
  type InspectedRequest,
  type UnknownExtension,
} from './facts.js';
export { summarize } from './summary.js';
export { lint, type Finding, type LintOptions } from './lint.js';
export { fingerprint, type Fingerprints } from './fingerprint.js';
export { verifyChain, type ChainVerdict, type VerifyChainOptions } from './verify-chain.js';
export { type Source } from './source.js';
export { type LiveSource } from './live.js';

// Keeping them
export { openStore, type Store, type StoredCertificate, type StoreOptions } from './store.js';
export { type PassphraseSource } from './passphrase.js';

// Over time
export {
  checkExpiry,
  type CertificateExpiry,
  type CrlExpiry,
  type Expiry,
  type ExpiryOptions,
  type UnreadableExpiry,
} from './expiry.js';
export { prometheusText } from './prometheus.js';
export { needsRenewal, type RenewalNeed, type RenewalRule } from './renewal.js';
export { renew, type RenewalRequest, type RenewOptions, type RenewResult } from './renew.js';
export { watchRenewal, type WatchRenewalOptions } from './watch-renewal.js';

// Withdrawing
export { revocationReasons, type Crl, type RevocationReason } from './crl.js';
export {
  revocationSource,
  type RefreshingRevocationSource,
  type RevocationSourceOptions,
} from './revocation-source.js';
export { type CrlLocation } from './crl-location.js';

// What an authority remembers
export { type IssuedFiles, type IssuedRecord, type Placement } from './ledger.js';

// Errors
export { CertificateError, type CertificateErrorCode, type CertificateErrorDetails } from './errors.js';
