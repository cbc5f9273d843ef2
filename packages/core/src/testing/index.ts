export {
  checkFraming,
  framingRules,
  type FramingComplianceOptions,
  type FramingRule,
} from './framing-compliance.js';
export { encodeAll, MemoryOutput } from './memory-output.js';
