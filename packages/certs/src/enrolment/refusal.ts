/** Why an enrolment was refused: in full for the log, and for the client only what doesn't help an attacker to guess. */
export type RefusalReason =
  | 'unknown-token'
  | 'wrong-secret'
  | 'expired-token'
  | 'withdrawn-token'
  | 'other-key'
  | 'no-certificate'
  | 'not-issued-here'
  | 'revoked'
  | 'expired'
  | 'barred'
  | 'other-names'
  | 'policy'
  | 'policy-failed';

export class EnrolmentRefusal extends Error {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
