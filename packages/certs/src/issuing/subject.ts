/** Distinguished names: the subject of a certificate. */
import { InvalidOptionError } from '@knsock/core/errors';
import { anything, string, type OptionReaders } from '@knsock/core/options';
import { CertificateError } from '../errors.js';
import type { CertificateName } from './names.js';
import type { DistinguishedName, X509Library } from '../x509.js';

/** The subject fields of a certificate; `organizationalUnit` may be several. */
export interface Subject {
  /** CN, 64 characters at most. */
  readonly commonName?: string | undefined;
  /** O, 64 characters at most. */
  readonly organization?: string | undefined;
  /** OU, one or several of 64 characters at most. */
  readonly organizationalUnit?: string | readonly string[] | undefined;
  /** L, such as a town. */
  readonly locality?: string | undefined;
  /** ST, a state or province. */
  readonly state?: string | undefined;
  /** Two letters (ISO 3166). */
  readonly country?: string | undefined;
}

/** How each of them is read. */
export const subjectOptions = {
  commonName: string<string | undefined>,
  organization: string<string | undefined>,
  organizationalUnit: anything<Subject['organizationalUnit']>,
  locality: string<string | undefined>,
  state: string<string | undefined>,
  country: string<string | undefined>,
} as const satisfies OptionReaders<Subject>;

// In the customary order, with the upper bounds of RFC 5280 appendix A.1.
const attributes = [
  { field: 'country', oid: '2.5.4.6', limit: 2 },
  { field: 'state', oid: '2.5.4.8', limit: 128 },
  { field: 'locality', oid: '2.5.4.7', limit: 128 },
  { field: 'organization', oid: '2.5.4.10', limit: 64 },
  { field: 'organizationalUnit', oid: '2.5.4.11', limit: 64 },
  { field: 'commonName', oid: '2.5.4.3', limit: 64 },
] as const satisfies readonly { field: keyof Subject; oid: string; limit: number }[];

/** The names of the fields. */
export const subjectFields: readonly (keyof Subject)[] = attributes.map(({ field }) => field);

/** The fields as text, without those of other kinds. */
export function readSubject(name: DistinguishedName): Subject {
  const parts = name.flatMap((relative) => [...relative]);
  const values = (oid: string) =>
    parts.filter(({ type }) => type === oid).map(({ value }) => value.toString());
  const fields = attributes.flatMap(({ field, oid }) => {
    const found = values(oid);
    if (found.length === 0) return [];
    return [[field, found.length === 1 || field !== 'organizationalUnit' ? found.at(-1) : found] as const];
  });
  return Object.fromEntries(fields);
}

/** `organization=Example, commonName=alice`; empty if there is none. */
export function subjectText(subject: Subject): string {
  return Object.entries(subject)
    .map(([field, value]) => `${field}=${[value].flat().join('+')}`)
    .join(', ');
}

/** A leaf's subject: its common name defaults to the first name, if that fits. */
export function defaultSubject(options: Subject, names: readonly CertificateName[]): Subject {
  const first = names[0]?.value;
  const commonName = options.commonName ?? (first !== undefined && first.length <= 64 ? first : undefined);
  return { ...subjectOf(options), commonName };
}

/** Picks the subject fields out of larger options. */
export function subjectOf(options: Subject): Subject {
  return Object.fromEntries(attributes.map(({ field }) => [field, options[field]]));
}

/**
 * Builds the distinguished name.
 * @throws CertificateError `KNSOCK_CERTIFICATE_SUBJECT` for a field that is too long or unprintable.
 */
export function buildSubject(library: X509Library, subject: Subject): DistinguishedName {
  const { Name, RelativeDistinguishedName, AttributeTypeAndValue, AttributeValue } = library;
  const parts = attributes.flatMap(({ field, oid, limit }) =>
    valuesOf(subject[field]).map((text) => {
      checkField(field, text, limit);
      const value = new AttributeValue(
        field === 'country' ? { printableString: text } : { utf8String: text },
      );
      return new RelativeDistinguishedName([new AttributeTypeAndValue({ type: oid, value })]);
    }),
  );
  return new Name(parts);
}

function valuesOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  const values = typeof value === 'string' ? [value] : value;
  if (Array.isArray(values) && values.every((one) => typeof one === 'string')) return values;
  throw new InvalidOptionError('organizationalUnit', 'organizationalUnit must be text, or a list of texts');
}

function checkField(field: string, text: string, limit: number): void {
  const length = [...text].length;
  const why =
    text.trim() === ''
      ? 'is empty'
      : length > limit
        ? `has ${length} characters, over the limit of ${limit}`
        : field === 'country' && !/^[A-Za-z]{2}$/.test(text)
          ? 'must be two letters'
          : /\p{Cc}/u.test(text)
            ? 'has control characters'
            : undefined;
  if (why !== undefined)
    throw new CertificateError('KNSOCK_CERTIFICATE_SUBJECT', `the ${field} "${text}" ${why}`);
}
