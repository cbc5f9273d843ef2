/** Decides what an authority grants of a signing request: only what the policy names. */
import { InvalidOptionError } from '@knsock/core/errors';
import {
  abortSignal,
  anything,
  checkOptions,
  flag,
  number,
  readAllOptions,
  record,
  string,
  texts,
  withDefault,
  type OptionReaders,
  type ReadOptions,
} from '@knsock/core/options';
import { LEAF_MAX_DAYS } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { checkKind, type CertificateKind } from './extensions.js';
import { checkDnsName, parseName, parseNames, type CertificateName } from './names.js';
import { placementOptions, type Placement } from './record.js';
import type { CsrInfo } from './csr.js';
import { subjectOptions, subjectFields, subjectOf, type Subject } from './subject.js';

/** A policy for signing a request. */
export interface SigningPolicy extends Placement {
  /** The certificate's use; sets its key usages. */
  readonly kind: CertificateKind;
  /**
   * The names that may be requested: a name itself, `*.example.com` for any one label before it (and that wildcard),
   * `spiffe://example.com/*` for every path below, `*@example.com` for every mailbox; or a function that decides.
   */
  readonly names: readonly string[] | ((name: string) => boolean);
  /** Names added to the requested ones: many requests made by openssl have none. */
  readonly addNames?: readonly string[] | undefined;
  /** Leaves out names of kinds that aren't issued here instead of refusing the request; default false. */
  readonly skipOtherNames?: boolean | undefined;
  /** Subject fields to copy from the request, each with its allowed values, or `true` for any. Default: none. */
  readonly copySubject?: { readonly [Field in keyof Subject]?: readonly string[] | true } | undefined;
  /** Subject fields set by the authority, whatever the request says. */
  readonly subject?: Subject | undefined;
  /** Default 90. */
  readonly days?: number | undefined;
  /** Default 398. */
  readonly maxDays?: number | undefined;
  /** Where the authority's revocation list can be fetched (http URLs). */
  readonly crlUrls?: readonly string[] | undefined;
  /** A reference recorded with the certificate in the store's index, such as why it was signed. Default: none. */
  readonly reference?: string | undefined;
  /** Ends the wait for the authority's signer. */
  readonly signal?: AbortSignal | undefined;
}

/** How each of them is read, and its default; the days as in `leafOptions`. */
export const policyOptions = {
  ...placementOptions,
  kind: string<CertificateKind>,
  names: anything<SigningPolicy['names']>,
  addNames: withDefault<readonly string[]>(texts, []),
  skipOtherNames: withDefault<boolean>(flag, false),
  copySubject: withDefault<NonNullable<SigningPolicy['copySubject']>>(record, {}),
  subject: withDefault<Subject>(record, {}),
  days: number<number | undefined>,
  maxDays: withDefault<number>(number, LEAF_MAX_DAYS),
  crlUrls: withDefault<readonly string[]>(texts, []),
  reference: string<string | undefined>,
  signal: abortSignal,
} as const satisfies OptionReaders<SigningPolicy>;

/** A policy with its defaults. */
export type SigningSettings = ReadOptions<typeof policyOptions>;

const copyReaders: OptionReaders<NonNullable<SigningPolicy['copySubject']>> = {
  commonName: valuesToCopy,
  organization: valuesToCopy,
  organizationalUnit: valuesToCopy,
  locality: valuesToCopy,
  state: valuesToCopy,
  country: valuesToCopy,
};

/** What is granted of a request. */
export interface Grant {
  readonly names: readonly CertificateName[];
  readonly subject: Subject;
  /** What was requested but isn't granted: names of other kinds, subject fields and extensions. */
  readonly dropped: readonly string[];
}

// The policy decides both; the request's values aren't even compared.
const OWN_EXTENSIONS = new Set(['2.5.29.17', '2.5.29.15', '2.5.29.37', '2.5.29.19', '2.5.29.14']);

/**
 * Checks a request against a policy that was read.
 * @throws CertificateError `KNSOCK_CERTIFICATE_REQUEST_SIGNATURE`, `_POLICY`, or `_NAME` if it has no name at all.
 */
export function checkRequest(facts: CsrInfo, policy: SigningSettings): Grant {
  if (!facts.signatureValid) {
    throw new CertificateError(
      'KNSOCK_CERTIFICATE_REQUEST_SIGNATURE',
      "the request isn't signed by the key it carries",
    );
  }
  if (facts.ca) throw refuse("the request asks for an authority's certificate", NO_AUTHORITY);
  if (facts.otherNames.length > 0 && !policy.skipOtherNames) throw refuseKinds(facts.otherNames);
  for (const name of parseNames(facts.names)) {
    if (!allows(policy.names, name))
      throw refuse(`the request asks for the name "${name.value}", which the policy doesn't allow`);
  }
  const copied = copySubject(facts.subject, policy);
  const subject = { ...copied, ...definedFields(policy.subject) };
  const names = parseNames([...facts.names, ...policy.addNames]);
  checkAskedName(policy.kind, names, subject, facts);
  return { names, subject, dropped: droppedParts(facts, subject) };
}

/** Many requests have only a common name: the error says what to do about it. */
function checkAskedName(
  kind: CertificateKind,
  names: readonly CertificateName[],
  { commonName }: Subject,
  facts: CsrInfo,
): void {
  checkKind(kind);
  if (names.length > 0 || (kind === 'client' && commonName !== undefined)) return;
  const asked = facts.subject.commonName;
  const has = asked === undefined ? '' : `, only the common name "${asked}"`;
  const message = `the request asks for no subjectAltName${has}, and a ${kind} certificate needs a name`;
  const hint = `Give it its name: addNames (the command: --add-name ${asked ?? 'NAME'}).`;
  throw new CertificateError('KNSOCK_CERTIFICATE_NAME', message, { hint });
}

/**
 * Reads a policy: a misspelt one must not grant what the intended one would have refused.
 * @throws InvalidOptionError naming the option
 */
export function readPolicy(given: SigningPolicy): SigningSettings {
  const policy = readAllOptions(given, policyOptions);
  const { names, copySubject, subject } = policy;
  if (typeof names !== 'function' && !isTexts(names))
    throw new InvalidOptionError(
      'names',
      'names must be a list of names that may be asked for, or a function',
    );
  checkOptions(copySubject, copyReaders, 'copySubject');
  checkOptions(subject, subjectOptions, 'subject');
  return policy;
}

function valuesToCopy(option: string, value: readonly string[] | true | undefined): void {
  if (value === undefined || value === true || isTexts(value)) return;
  throw new InvalidOptionError(option, `${option} must be true, or a list of the values it may have`);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function allows(rule: SigningPolicy['names'], name: CertificateName): boolean {
  // Only `true` allows: the promise of an asynchronous function would count as true.
  if (typeof rule === 'function') return (rule(name.value) as unknown) === true;
  return rule.some((pattern) => matches(pattern, name));
}

/** The first of the names that no pattern allows. */
export function outsidePatterns(
  patterns: readonly string[],
  names: readonly CertificateName[],
): CertificateName | undefined {
  return names.find((name) => !allows(patterns, name));
}

/** @throws CertificateError `KNSOCK_CERTIFICATE_NAME` for a pattern that no name can match */
export function checkPatterns(patterns: readonly string[]): void {
  for (const pattern of patterns) matches(pattern, { kind: 'dns', value: 'localhost' });
}

/** Only names of the pattern's own kind: `spiffe://a.example.com` looks like `*.example.com` and is no host's name. */
function matches(pattern: string, { kind, value }: CertificateName): boolean {
  if (pattern.includes('://') && pattern.endsWith('/*'))
    return kind === 'uri' && value.startsWith(pattern.slice(0, -1)) && isPlainPath(value);
  if (pattern.startsWith('*@')) return kind === 'email' && domainOf(value) === checkDnsName(pattern.slice(2));
  const own = parseName(pattern);
  if (own.kind !== kind) return false;
  if (own.value === value) return true;
  if (kind !== 'dns' || !own.value.startsWith('*.')) return false;
  return value.slice(value.indexOf('.')) === own.value.slice(1) && !value.startsWith('*');
}

const domainOf = (mailbox: string): string => mailbox.slice(mailbox.lastIndexOf('@') + 1);

/** No `..` and no query: `spiffe://a/b/../../c` isn't below `spiffe://a/b/`. */
function isPlainPath(uri: string): boolean {
  return !/[?#%]|\/\.{1,2}(\/|$)|[^:]\/\//.test(uri);
}

function copySubject(asked: Subject, policy: SigningSettings): Subject {
  const copied: Record<string, Subject[keyof Subject]> = {};
  for (const [field, rule] of Object.entries(policy.copySubject) as [
    keyof Subject,
    readonly string[] | true,
  ][]) {
    const value = asked[field];
    if (value === undefined) continue;
    const values: readonly string[] = typeof value === 'string' ? [value] : value;
    const odd = rule === true ? undefined : values.find((one) => !rule.includes(one));
    if (odd !== undefined)
      throw refuse(`the request asks for the ${field} "${odd}", which the policy doesn't allow`);
    copied[field] = value;
  }
  return subjectOf(copied);
}

function droppedParts(facts: CsrInfo, granted: Subject): string[] {
  const fields = subjectFields.filter(
    (field) => facts.subject[field] !== undefined && granted[field] === undefined,
  );
  const extensions = facts.extensions.map(({ oid }) => oid).filter((oid) => !OWN_EXTENSIONS.has(oid));
  return [...facts.otherNames, ...fields, ...extensions];
}

function definedFields(subject: Subject): Subject {
  return Object.fromEntries(Object.entries(subject).filter(([, value]) => value !== undefined));
}

const NO_AUTHORITY =
  'Ask for a request without basicConstraints CA:TRUE; an authority is made by intermediate (the command: certs ca --under).';

function refuseKinds(names: readonly string[]): CertificateError {
  const message = `the request asks for names of kinds that aren't issued here: ${names.join('; ')}`;
  const hint =
    'Ask for a request without them, or sign without them: skipOtherNames (the command: --skip-other-names).';
  return refuse(message, hint);
}

function refuse(message: string, hint?: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_POLICY', message, hint === undefined ? {} : { hint });
}
