import type { Severity } from '@knsock/core/x509';

/** One finding of `lint`. */
export interface Finding {
  /** Stable: `weak-key`, `no-names` … */
  readonly rule: string;
  /** `error`: peers refuse it; `warning`: some do, or soon will; `notice`: worth knowing. */
  readonly severity: Severity;
  /** The certificate's place in the source: 1 is the first. */
  readonly position: number;
  /** How many certificates the source holds. */
  readonly of: number;
  /** What is wrong, in one sentence. */
  readonly message: string;
  /** What to do. */
  readonly fix: string;
}

/** One before all certificates of the source are counted. */
export type RuleFinding = Omit<Finding, 'of'>;
