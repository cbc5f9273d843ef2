/** Checks names and subject against an authority's name constraints. */
import { CertificateError } from '../errors.js';
import { constraintAgainst, constraintAgainstSubject } from './name-constraints.js';
import type { CertificateName } from './names.js';
import type { SigningAuthority } from './signing-authority.js';
import { defaultSubject, type Subject } from './subject.js';

/**
 * The subject of a leaf with these names. A defaulted common name is left out if, because of the constraints,
 * peers would refuse the certificate for it.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NAME_CONSTRAINT`.
 */
export function permittedSubject(
  { constraints }: SigningAuthority,
  wanted: Subject,
  names: readonly CertificateName[],
): Subject {
  for (const name of names) {
    const why = first(constraints, (one) => constraintAgainst(one, name));
    if (why !== undefined) throw refuse(`the name "${name.value}" ${why}`);
  }
  const subject = defaultSubject(wanted, names);
  const why = first(constraints, (one) => constraintAgainstSubject(one, subject.commonName, names));
  if (why === undefined) return subject;
  if (wanted.commonName === undefined) return { ...subject, commonName: undefined };
  throw refuse(`the common name "${wanted.commonName}" looks like a host's and ${why}`);
}

function first<T, U>(all: readonly T[], find: (one: T) => U | undefined): U | undefined {
  for (const one of all) {
    const found = find(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

function refuse(message: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_NAME_CONSTRAINT', message);
}
