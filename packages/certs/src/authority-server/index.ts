// The authority server
export { serveAuthority, type AuthorityServer, type AuthorityServerOptions } from './serve-authority.js';
export { type EnrolledCertificate, type RefusedEnrolment } from './est.js';
export { type RefusalReason } from '../enrolment/refusal.js';
export { type EnrolmentPolicy, type EnrolmentRequest, type PolicyDecision } from '../enrolment/policy.js';
export { webhookPolicy, type WebhookPolicyOptions } from '../enrolment/webhook-policy.js';

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
} from '../enrolment/tokens.js';
export { type TokenSecret } from '../enrolment/token.js';
export { formatToken, parseToken, type EnrolmentToken } from '../enrolment/enrolment-token.js';
export { knownAuthority, rootOf, type KnownAuthority } from '../enrolment/known-authority.js';
