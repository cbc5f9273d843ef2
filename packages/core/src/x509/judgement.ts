import { InvalidOptionError } from '../errors/option.js';
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

/** @throws InvalidOptionError */
export function parseJudgeOptions(options: JudgeOptions): Omit<Judgement, 'path'> {
  const { usage, name, rules = 'private', crls = [], acceptUnnumberedCrls = false } = options;
  if (!['server', 'client'].includes(usage)) {
    throw new InvalidOptionError('usage', `usage must be 'server' or 'client', not ${usage}`);
  }
  if (!Object.hasOwn(ruleSets, rules)) {
    throw new InvalidOptionError('rules', `rules must be 'private' or 'web', not ${rules}`);
  }
  const at = Math.floor(Number(options.at ?? Date.now()) / 1000) * 1000;
  if (!Number.isFinite(at)) throw new InvalidOptionError('at', 'at is no moment in time');
  return { at, name, usage, crls, acceptUnnumberedCrls, rules: ruleSets[rules] };
}
