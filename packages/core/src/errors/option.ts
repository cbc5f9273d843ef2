import { EasySocketError, type ErrorDetails } from './base.js';

/** An option is missing, of the wrong kind, or contradicts another; `option` names it. */
export class InvalidOptionError extends EasySocketError {
  static override readonly brand: string = 'InvalidOptionError';
  /** The option's name, with a dot before that of a part: `heartbeat.interval`. */
  readonly option: string;

  constructor(option: string, message: string, details?: ErrorDetails) {
    super('KNSOCK_INVALID_OPTION', message, details);
    this.option = option;
  }
}
