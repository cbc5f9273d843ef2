import { InvalidOptionError } from '../errors/option.js';
import { date, list, oneOf, string, type OptionReaders } from '../options/index.js';
import type { CertificateRevocationList } from './crl.js';
import type { X509Certificate } from './certificate.js';
import { checkPolicyOptions, type PolicyOptions } from './policies.js';
import {
  checkRevocationPolicy,
  revocationPolicy,
  type RevocationPolicy,
  type RevocationPolicyOptions,
} from './revocation-policy.js';
import { ruleSets, type RuleSet } from './rules.js';

/** What a path is validated against. */
export interface ValidatePathOptions {
  /** The moment to validate at, milliseconds since 1970 or a Date; default: now. */
  readonly at?: Date | number | undefined;
  /** The name the peer must carry: a host, an IP address, with `://` a URI, with `@` an e-mail; without it any will do. */
  readonly name?: string | undefined;
  /** What the peer uses its certificate for. */
  readonly usage: 'server' | 'client';
  /** Lists of revoked certificates, read already; with none of them revocation isn't looked at. */
  readonly crls?: readonly CertificateRevocationList[] | undefined;
  /** What the lists have to prove; by default what `crlFile` means on a connection. */
  readonly revocation?: RevocationPolicyOptions | undefined;
  /** Which certificate policies the path must hold; default: what its CAs require. */
  readonly policies?: PolicyOptions | undefined;
  /** Default `'private'`. */
  readonly rules?: 'private' | 'web' | undefined;
}

/** The options with every default filled in, and the path they are for: leaf first, anchor last. */
export interface PathValidation {
  readonly path: readonly X509Certificate[];
  /** Milliseconds, whole seconds: certificates know no less. */
  readonly at: number;
  readonly name: string | undefined;
  readonly usage: 'server' | 'client';
  readonly crls: readonly CertificateRevocationList[];
  readonly revocation: RevocationPolicy;
  readonly policies: PolicyOptions;
  /** Certificates that may have signed CRLs, beside those of the path. */
  readonly crlIssuers: readonly X509Certificate[];
  readonly rules: RuleSet;
}

export const pathReaders = {
  at: (option, value) => date(option, typeof value === 'number' ? new Date(value) : value),
  name: string,
  usage: (option, value) => oneOf(option, value, ['server', 'client']),
  crls: list,
  revocation: checkRevocationPolicy,
  policies: checkPolicyOptions,
  rules: (option, value) => oneOf(option, value, ['private', 'web']),
} as const satisfies OptionReaders<ValidatePathOptions>;

/** The defaults of options that were checked. @throws InvalidOptionError */
export function parsePathOptions(options: ValidatePathOptions): Omit<PathValidation, 'path'> {
  const { usage, name, rules = 'private', crls = [], policies = {} } = options;
  if ((usage as unknown) === undefined)
    throw new InvalidOptionError('usage', "usage is missing: 'server' or 'client'");
  const at = Math.floor(Number(options.at ?? Date.now()) / 1000) * 1000;
  const { unnumbered = ruleSets[rules].formalities ? 'refuse' : 'accept', ...others } =
    options.revocation ?? {};
  const revocation = revocationPolicy({ ...others, unnumbered });
  return { at, name, usage, crls, revocation, crlIssuers: [], policies, rules: ruleSets[rules] };
}
