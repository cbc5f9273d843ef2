/**
 * What is asked of a path beyond RFC 5280's security rules, which hold under both sets: signatures, names, dates,
 * CA flags, path length, usage, name constraints, key strength, critical extensions and CRLs are judged alike.
 */
export interface RuleSet {
  readonly name: 'private' | 'web';
  /** A path may end at any trusted certificate without the caller's saying so, not just at a self-issued one. */
  readonly anchorsAnywhere: boolean;
  /** The formalities of the CA/Browser Forum's baseline requirements and RFC 5280's profile are demanded. */
  readonly formalities: boolean;
  /** Kinds of keys accepted, curves included. */
  readonly keys: ReadonlySet<string>;
}

/** The rules for programs that trust a CA of their own: the default of `connect` and `listen`. */
const privateRules: RuleSet = {
  name: 'private',
  anchorsAnywhere: false,
  formalities: false,
  keys: new Set([
    'rsa',
    'rsa-pss',
    'P-256',
    'P-384',
    'P-521',
    'ed25519',
    'ed448',
    'ml-dsa-44',
    'ml-dsa-65',
    'ml-dsa-87',
  ]),
};

/** The profile of the public web, for exams and audits. */
const webRules: RuleSet = {
  name: 'web',
  anchorsAnywhere: true,
  formalities: true,
  keys: new Set(['rsa', 'P-256', 'P-384', 'P-521']),
};

/** Both sets of rules, by name. */
export const ruleSets = { private: privateRules, web: webRules } as const;
