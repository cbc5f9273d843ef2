/** The command was misused: nothing was done. */
export class UsageError extends Error {
  readonly code: string;
  readonly hint: string;

  constructor(message: string, hint = '', code = 'KNSOCK_USAGE') {
    super(message);
    this.name = 'UsageError';
    this.code = code;
    this.hint = hint;
  }
}
