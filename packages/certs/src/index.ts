// Authorities and what they sign
export { createAuthority, loadAuthority, type Authority, type CrlOptions } from './authority.js';
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

// Keeping them
export { openStore, type Store, type StoredCertificate, type StoreOptions } from './store.js';
export { type PassphraseSource } from './passphrase.js';

// Withdrawing
export { revocationReasons, type Crl, type RevocationReason } from './crl.js';

// What an authority remembers
export { type IssuedFiles, type IssuedRecord, type Placement } from './ledger.js';

// Errors
export { CertificateError, type CertificateErrorCode, type CertificateErrorDetails } from './errors.js';
