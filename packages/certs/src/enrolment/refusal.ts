/** Why an enrolment was refused: told in the log, and to the client only as far as it helps no guesser. */
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
