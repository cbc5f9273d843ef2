import { InvalidOptionError } from '../errors/option.js';
import { date, flag, list, oneOf, string, type OptionReaders } from '../options/index.js';
import type { CertificateRevocationList } from './crl.js';
import type { X509Certificate } from './certificate.js';
import { ruleSets, type RuleSet } from './rules.js';

/** What a path is judged by. */
export interface JudgeOptions {
  /** The moment to judge at, milliseconds since 1970 or a Date; default: now. */
  readonly at?: Date | number | undefined;
  /** The name the peer must carry: a host, an IP address, with `://` a URI, with `@` an e-mail; without it any will do. */
  readonly name?: string | undefined;
  /** What the peer uses its certificate for. */
  readonly usage: 'server' | 'client';
  /** Lists of revoked certificates, read already; a certificate whose issuer has none passes. */
  readonly crls?: readonly CertificateRevocationList[] | undefined;
  /** Rely on CRLs without a number, as Easy-RSA and cfssl make them; default false. */
  readonly acceptUnnumberedCrls?: boolean | undefined;
  /** Default `'private'`. */
  readonly rules?: 'private' | 'web' | undefined;
}

/** The options with every default filled in, and the path they are for: leaf first, anchor last. */
export interface Judgement {
  readonly path: readonly X509Certificate[];
  /** Milliseconds, whole seconds: certificates know no less. */
  readonly at: number;
  readonly name: string | undefined;
  readonly usage: 'server' | 'client';
  readonly crls: readonly CertificateRevocationList[];
  readonly acceptUnnumberedCrls: boolean;
  readonly rules: RuleSet;
}

export const judgeReaders = {
  at: (option, value) => date(option, typeof value === 'number' ? new Date(value) : value),
  name: string,
  usage: (option, value) => oneOf(option, value, ['server', 'client']),
  crls: list,
  acceptUnnumberedCrls: flag,
  rules: (option, value) => oneOf(option, value, ['private', 'web']),
} as const satisfies OptionReaders<JudgeOptions>;

/** The defaults of options that were checked. @throws InvalidOptionError */
export function parseJudgeOptions(options: JudgeOptions): Omit<Judgement, 'path'> {
  const { usage, name, rules = 'private', crls = [], acceptUnnumberedCrls = false } = options;
  if ((usage as unknown) === undefined)
    throw new InvalidOptionError('usage', "usage is missing: 'server' or 'client'");
  const at = Math.floor(Number(options.at ?? Date.now()) / 1000) * 1000;
  return { at, name, usage, crls, acceptUnnumberedCrls, rules: ruleSets[rules] };
}
