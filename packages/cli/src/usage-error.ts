/** The command was misused: nothing was done. */
export class UsageError extends Error {
  readonly code: string;
  readonly hint: string;
  /** The file that can't be used. */
  readonly file: string | undefined;

  constructor(message: string, hint = '', code = 'KNSOCK_USAGE', file?: string) {
    super(message);
    this.name = 'UsageError';
    this.code = code;
    this.hint = hint;
    this.file = file;
  }
}
