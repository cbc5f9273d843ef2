import { checkOptions } from '../options/index.js';
import type { X509Certificate } from './certificate.js';
import { checkAuthority } from './checks/authority.js';
import { checkForm } from './checks/form.js';
import { checkFormalities } from './checks/formalities.js';
import { checkMarks } from './checks/marks.js';
import { checkName } from './checks/name.js';
import { checkRevocation } from './checks/revocation.js';
import { checkStrength } from './checks/strength.js';
import { checkUsage } from './checks/usage.js';
import { checkValidity } from './checks/validity.js';
import type { Failure } from './failure.js';
import {
  pathReaders,
  parsePathOptions,
  type ValidatePathOptions,
  type PathValidation,
} from './path-validation.js';
import { checkNameConstraints } from './name-constraints.js';
import { checkPolicies } from './policies.js';

/** A path that is trusted, leaf first and anchor last; or why there is none. */
export type PathVerdict = { readonly ok: true; readonly path: readonly X509Certificate[] } | Failure;

/** In the order in which people want to hear of them. */
const checks: readonly ((validation: PathValidation) => Failure | undefined)[] = [
  checkForm,
  checkValidity,
  checkStrength,
  checkAuthority,
  checkUsage,
  checkMarks,
  ({ path }) => checkNameConstraints(path),
  ({ path, policies }) => checkPolicies(path, policies),
  checkName,
  checkFormalities,
  checkRevocation,
];

/**
 * Validates a path whose signatures and anchor were checked before, as `verifyPath` does: everything that may change
 * between two connections, and all that is cheap. The signatures of CRLs are checked once per list.
 * @param path leaf first, anchor last; at least one certificate
 * @throws InvalidOptionError
 */
export function validatePath(path: readonly X509Certificate[], options: ValidatePathOptions): PathVerdict {
  checkOptions(options, pathReaders);
  return validate({ path, ...parsePathOptions(options) });
}

export function validate(validation: PathValidation): PathVerdict {
  for (const check of checks) {
    const found = check(validation);
    if (found) return found;
  }
  return { ok: true, path: validation.path };
}
