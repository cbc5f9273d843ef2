// Reading
export { parseCertificate, parseCertificates, X509Certificate } from './certificate.js';
export { parseCrl, parseCrls, CertificateRevocationList, type IssuingDistributionPoint } from './crl.js';
export { showReasons } from './reason-flags.js';
export { type RevokedEntry, type RevokedEntries } from './revoked-entries.js';
export { openPrivateKey, openPublicKey, publicHalf, rsaPublicKeyInfo } from './keys/open-key.js';
export {
  arrangePkcs12,
  openPkcs12,
  openPkcs12OffThread,
  pkcs12Certificates,
  pkcs12Pairs,
  type OpenedPkcs12,
  type Pkcs12Certificate,
  type Pkcs12Pair,
} from './pkcs12/open.js';
export {
  allCertificates,
  certificatesIn,
  type CertificatesIn,
  type StoreOpening,
} from './pkcs12/certificates-in.js';
export { isPuttyKey, javaKeystoreKind } from './formats/other-kinds.js';
export { pkcs12MacKey } from './encryption/mac-key.js';
export { type Pkcs12Contents } from './pkcs12/contents.js';
export { isKeyStore, readPkcs12, readPkcs12OffThread } from './pkcs12/read.js';
export { isEncryptedKey, readPrivateKey, readPrivateKeyOffThread } from './keys/private-key.js';
export { kindOfDer, type DerKind } from './formats/der-kind.js';
export { describeContent, type Description, type Wanted } from './formats/describe.js';
export { isPkcs7, objectsIn, type FileObject, type ObjectKind } from './formats/objects.js';
export { type TrustMarks } from './formats/trusted.js';
export { formOf } from './formats/form.js';
export { bareBase64, textOf } from './formats/text.js';
export { withoutPadding } from './formats/padding.js';
export { signedParts, type Signed } from './signed.js';
export { splitPem, toPem, type PemBlock } from './pem.js';

// What certificates are made of
export { type AlgorithmIdentifier } from './algorithm.js';
export { type BasicConstraints } from './basic-constraints.js';
export { type DistributionPoint } from './distribution-points.js';
export { type Extension, type Extensions } from './extensions.js';
export { type GeneralName } from './general-names.js';
export { type AuthorityKeyIdentifier } from './key-identifiers.js';
export { type KeyUsage } from './key-usage.js';
export { DistinguishedName, type NameAttribute } from './name.js';
export { type NetscapeUse } from './netscape-cert-type.js';
export { type KeyKind, type PublicKeyInfo } from './public-key.js';
export { type NameConstraints } from './subtrees.js';

// Judging
export { asciiHostName, matchesName } from './host-name.js';
export {
  authorityFault,
  excessiveDays,
  formFault,
  LEAF_MAX_DAYS,
  namesFault,
  netscapeFault,
  signatureFault,
  signingFault,
  type Fault,
  type NamesFault,
  type Severity,
} from './faults.js';
export { type UnmatchableName } from './unmatchable-names.js';
export { tlsKeyProblem, usageOf, usageProblem } from './checks/usage.js';
export { arrangeOwnChain, type OwnChain, type OwnChainContext, type OwnChainWarning } from './own-chain.js';
export {
  verifyPath,
  verifyPathSync,
  type CertificateInput,
  type CrlInput,
  type VerifyOptions,
} from './verify-path.js';
export { validatePath, type PathVerdict } from './validate-path.js';
export { type ValidatePathOptions } from './path-validation.js';
export { checkPolicyOptions, type PolicyOptions } from './policies.js';
export { type Failure } from './failure.js';
export { checkRevocation, type RevocationFinding, type RevocationOptions } from './revocation.js';
export { isLaterList, isSameSeries } from './crl-series.js';
export { verifyCrlSignature } from './crl-signer.js';
export { revocationFailure } from './checks/revocation.js';
export { checkPathRevocation, type PathRevocation } from './path-revocation.js';
export { toRevocationVerdict } from './revocation-verdict.js';
export {
  checkRevocationPolicy,
  revocationPolicy,
  revocationPolicyReaders,
  type RevocationPolicy,
  type RevocationPolicyOptions,
} from './revocation-policy.js';
export { keyFault, isIssuedBy, mayHaveIssued } from './issuance.js';
export { curveNames } from './oid.js';
export { networkOf } from './ip-network.js';
