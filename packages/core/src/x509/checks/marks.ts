import { failure, type Failure } from '../failure.js';
import type { TrustMarks } from '../formats/trusted.js';
import { purposeOid } from '../oid.js';
import type { PathValidation } from '../path-validation.js';

const HINT = 'To trust it nevertheless, remove the marks: openssl x509 -clrtrust -clrreject.';

/** Checks that no trusted certificate of the path is marked as not for this usage, as OpenSSL's check_trust does. */
export function checkMarks({ path, usage }: Pick<PathValidation, 'path' | 'usage'>): Failure | undefined {
  for (const [depth, { trustMarks }] of path.entries()) {
    if (trustMarks === undefined || isTrusted(trustMarks, usage)) continue;
    const problem = `is marked among the trusted certificates as not to be trusted for TLS ${usage}s (TRUSTED CERTIFICATE)`;
    return failure('wrong-usage', path, depth, problem, HINT);
  }
  return undefined;
}

function isTrusted({ trusted, rejected }: TrustMarks, usage: 'server' | 'client'): boolean {
  const isMeant = (oid: string): boolean => oid === purposeOid[usage] || oid === purposeOid.any;
  return !rejected.some(isMeant) && (trusted?.some(isMeant) ?? true);
}
