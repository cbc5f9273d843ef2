// Certificates for public names by ACME
export { acmeCredentials, type AcmeCredentials, type AcmeStatus } from './acme-credentials.js';
export { letsEncrypt, letsEncryptStaging } from './directories.js';
export { type AcmeKeyType, type AcmeOptions } from './acme-options.js';
export { type AcmeChallengeType } from './challenge-listener.js';
export { AcmeError, type AcmeErrorDetails } from './acme-error.js';
