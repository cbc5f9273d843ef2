export {
  checkFraming,
  framingRules,
  type FramingComplianceOptions,
  type FramingRule,
} from './framing-compliance.js';
export { encodeAll, MemoryOutput } from './memory-output.js';
export {
  checkCredentialSource,
  credentialSourceRules,
  type CredentialSourceRule,
  type CredentialSourceSubject,
} from './credential-source-rules.js';
