/** What revocation lists have to prove: the policy that each caller names. */
import { checkOptions, readOptions, withDefault, word, type OptionReaders } from '../options/index.js';

/** What gaps in the lists mean. A revocation refuses under every policy, wherever on the path it is. */
export interface RevocationPolicyOptions {
  /**
   * The certificates that need a list: the peer's own (`'leaf'`, the default), or all but the anchor
   * (`'chain'`). A loaded list counts either way.
   */
  readonly depth?: 'leaf' | 'chain' | undefined;
  /** What a certificate that needs a list and that none covers means; default `'refuse'`. */
  readonly unknown?: 'refuse' | 'accept' | undefined;
  /** What a list past its next update means; default `'refuse'`. */
  readonly stale?: 'refuse' | 'accept' | undefined;
  /** What a list without a CRL number means, as Easy-RSA and cfssl make them; default `'accept'`. */
  readonly unnumbered?: 'refuse' | 'accept' | undefined;
  /**
   * What it means that a certificate, or the list that covers it, names a delta list (`freshestCRL`) and none is loaded
   * that is current; default `'accept'`: the complete list decides.
   */
  readonly missingDelta?: 'refuse' | 'accept' | undefined;
}

/** A policy with every default filled in. */
export type RevocationPolicy = {
  readonly [Setting in keyof RevocationPolicyOptions]-?: NonNullable<RevocationPolicyOptions[Setting]>;
};

const refuseOrAccept = word('refuse', 'accept');

/** How each setting is read, and its default, which is what `crlFile` means. */
export const revocationPolicyReaders = {
  depth: withDefault(word('leaf', 'chain'), 'leaf'),
  unknown: withDefault(refuseOrAccept, 'refuse'),
  stale: withDefault(refuseOrAccept, 'refuse'),
  unnumbered: withDefault(refuseOrAccept, 'accept'),
  missingDelta: withDefault(refuseOrAccept, 'accept'),
} as const satisfies OptionReaders<RevocationPolicyOptions>;

/** Checks a policy that is one option among others. @throws InvalidOptionError */
export function checkRevocationPolicy<V extends RevocationPolicyOptions | undefined>(
  option: string,
  value: V,
): V {
  if (value !== undefined) checkOptions<RevocationPolicyOptions>(value, revocationPolicyReaders, option);
  return value;
}

/** Fills in the defaults. */
export function revocationPolicy(options: RevocationPolicyOptions = {}): RevocationPolicy {
  return readOptions(options, revocationPolicyReaders);
}
