import { EasySocketError, type ErrorDetails } from './base.js';

/** An option is missing, of the wrong kind, or contradicts another; `option` names it. */
export class InvalidOptionError extends EasySocketError {
  static override readonly brand: string = 'InvalidOptionError';
  readonly option: string;

  constructor(option: string, message: string, details?: ErrorDetails) {
    super('KNSOCK_INVALID_OPTION', message, details);
    this.option = option;
  }
}
