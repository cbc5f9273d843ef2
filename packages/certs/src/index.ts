// Authorities and what they sign
export {
  createAuthority,
  loadAuthority,
  type Authority,
  type AuthorityFiles,
  type CrlOptions,
  type Signed,
} from './authorities/authority.js';
export {
  createDevelopmentAuthority,
  localNames,
  type DevelopmentAuthority,
  type DevelopmentAuthorityOptions,
} from './authorities/development-authority.js';
export { type AuthorityOptions } from './issuing/authority-certificate.js';
export {
  createSelfSigned,
  type Issued,
  type IssueOptions,
  type LeafOptions,
  type SelfSignedOptions,
} from './issuing/issue.js';
export { type CertificateKind } from './issuing/extensions.js';
export { type NameConstraintOptions } from './issuing/name-constraints.js';
export { type Subject } from './issuing/subject.js';
export { type KeyType } from './keys/keys.js';

// Requests
export { createCsr, readCsr, type CsrInfo, type CsrOptions } from './issuing/csr.js';
export { type SigningPolicy } from './issuing/signing-policy.js';

// Formats
export { convertKey, derToPem, keyToJwk, pemToDer, type ConvertKeyOptions } from './formats/formats.js';
export { fullChain, type FullChainOptions } from './keys/chain.js';
export { keyMatches } from './keys/key-matches.js';
export { toPkcs12, type Pkcs12Content, type Pkcs12Trust } from './pkcs12/pkcs12.js';
export { readContents, type ContentsOptions, type FileContents, type FilePair } from './formats/contents.js';
export { fromPkcs12 } from './pkcs12/pkcs12-reader.js';
export { type Pkcs12Parts } from './pkcs12/pkcs12-parts.js';

// Inspecting
export { inspect, type Inspected, type Inspection, type InspectOptions } from './inspecting/inspect.js';
export {
  type InspectedCertificate,
  type CrlScope,
  type InspectedCrl,
  type InspectedDamage,
  type InspectedKey,
  type InspectedRequest,
  type UnknownExtension,
} from './inspecting/facts.js';
export { summarize } from './inspecting/summary.js';
export { lint, type LintOptions } from './inspecting/lint.js';
export { type Finding } from './inspecting/finding.js';
export { fingerprint, type Fingerprints } from './files/fingerprint.js';
export { verifyChain, type ChainVerdict, type VerifyChainOptions } from './inspecting/verify-chain.js';
export { type Source, type SourceOpening } from './files/source.js';
export { type LiveSource } from './inspecting/live.js';

// Storing
export {
  openStore,
  type AuthoritySigner,
  type RootOptions,
  type Store,
  type StoreOptions,
} from './store/store.js';
export { type Signer } from './keys/signer.js';
export { type SignatureAlgorithm } from './keys/signature.js';
export { type CertificateQuery, type StoredCertificate } from './store/store-index.js';
export { type PassphraseSource } from './keys/passphrase.js';

// Expiry and renewal
export {
  checkExpiry,
  type CertificateExpiry,
  type CrlExpiry,
  type Expiry,
  type ExpiryOptions,
  type UnreadableExpiry,
} from './inspecting/expiry.js';
export { prometheusText } from './inspecting/prometheus.js';
export { needsRenewal, type RenewalNeed, type RenewalRule } from './renewal/renewal.js';
export { renew, type RenewalRequest, type RenewOptions, type RenewResult } from './renewal/renew.js';
export { watchRenewal, type WatchRenewalOptions } from './renewal/watch-renewal.js';

// Enrolling at an authority server
export { enroll, type Enrolled, type EnrollOptions } from './enrolling/enroll.js';
export {
  renewEnrolled,
  watchEnrolled,
  type RenewEnrolledOptions,
  type WatchEnrolledOptions,
} from './enrolling/renew-enrolled.js';
export {
  enrolledCredentials,
  type EnrolledCredentials,
  type EnrolledCredentialsOptions,
  type EnrolmentStatus,
} from './enrolling/enrolled-credentials.js';

// Revocation
export {
  revocationReasons,
  type Crl,
  type Revocation,
  type RevocationReason,
  type RevocationRecord,
} from './revocation/crl.js';
export {
  revocationSource,
  type RefreshingRevocationSource,
  type RevocationSourceOptions,
} from './revocation/revocation-source.js';
export { fetchCrls, type FetchCrlsOptions } from './revocation/fetch-lists.js';
export { type CrlLocation } from './revocation/crl-location.js';

// An authority's records
export { type IssuedFiles, type IssuedRecord, type Placement } from './issuing/record.js';

// Errors
export { CertificateError, type CertificateErrorCode, type CertificateErrorDetails } from './errors.js';
