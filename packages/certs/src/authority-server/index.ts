// An authority that serves
export { serveAuthority, type AuthorityServer, type AuthorityServerOptions } from './serve-authority.js';
export { type RefusedEnrolment } from './est.js';
export { type RefusalReason } from '../enrolment/refusal.js';

// Tokens
export { createToken, withdrawToken, type TokenOptions } from '../enrolment/tokens.js';
export { type TokenSecret } from '../enrolment/token.js';
