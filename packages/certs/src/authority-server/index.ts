// The authority server
export { serveAuthority, type AuthorityServer, type AuthorityServerOptions } from './serve-authority.js';
export { type EnrolledCertificate, type RefusedEnrollment } from './est.js';
export { type RefusalReason } from '../enrollment/refusal.js';
export { type EnrollmentPolicy, type EnrollmentRequest, type PolicyDecision } from '../enrollment/policy.js';
export { webhookPolicy, type WebhookPolicyOptions } from '../enrollment/webhook-policy.js';

// Tokens
export {
  barRenewal,
  type BarOptions,
  createToken,
  listTokens,
  withdrawToken,
  type TokenInfo,
  type TokenOptions,
  type TokenUse,
} from '../enrollment/tokens.js';
export { type TokenSecret } from '../enrollment/token.js';
export { formatToken, parseToken, type EnrollmentToken } from '../enrollment/enrollment-token.js';
export { knownAuthority, rootOf, type KnownAuthority } from '../enrollment/known-authority.js';
