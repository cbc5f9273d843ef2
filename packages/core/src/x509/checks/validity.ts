import { failure, type Failure } from '../failure.js';
import type { PathValidation } from '../path-validation.js';
import { showTime } from '../time.js';

/** Checks the dates of every certificate, the anchor's included; both ends of the period belong to it (RFC 5280 4.1.2.5). */
export function checkValidity({ path, at }: Pick<PathValidation, 'path' | 'at'>): Failure | undefined {
  for (const [depth, { notBefore, notAfter }] of path.entries()) {
    if (at < notBefore.getTime()) {
      return failure(
        'not-yet-valid',
        path,
        depth,
        `is valid from ${showTime(notBefore)} on; now is ${showTime(at)}`,
      );
    }
    if (at > notAfter.getTime()) {
      return failure('expired', path, depth, `expired at ${showTime(notAfter)}; now is ${showTime(at)}`);
    }
  }
  return undefined;
}
