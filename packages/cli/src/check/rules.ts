/** Every rule, by the kind of its evidence. */
import type {
  ChainRule,
  EndpointRule,
  FileRule,
  KeyRule,
  ListRule,
  Rule,
  RuleText,
  VerificationRule,
} from './rule.js';
import { caSigned, chainOrder, form, names, strongKeys, tls12Peers } from './rules/certificate.js';
import { clientCertificateRefusal, errorBehaviour, mutualTls } from './rules/clients.js';
import { keyMatch, keyPermissions, readable } from './rules/files.js';
import { dhParameters, groups, hybridGroup, signatureAlgorithms } from './rules/key-exchange.js';
import {
  compression,
  extendedMasterSecret,
  renegotiation,
  resumption,
  secureRenegotiation,
} from './rules/sessions.js';
import { crlFreshness, expiry, revocation, rotation } from './rules/validity.js';
import { endpointVerification, verification } from './rules/verification.js';
import { ciphers, fallback, minimumTls, serverPreference, tls13 } from './rules/versions-and-suites.js';

export const chainRules: readonly ChainRule[] = [
  strongKeys,
  caSigned,
  expiry,
  form,
  names,
  tls12Peers,
  chainOrder,
  rotation,
  revocation,
];

export const fileRules: readonly FileRule[] = [readable];

export const listRules: readonly ListRule[] = [crlFreshness];

export const verificationRules: readonly VerificationRule[] = [verification];

export const keyRules: readonly KeyRule[] = [keyMatch, keyPermissions];

export const endpointRules: readonly EndpointRule[] = [
  endpointVerification,
  minimumTls,
  tls13,
  ciphers,
  serverPreference,
  groups,
  hybridGroup,
  dhParameters,
  signatureAlgorithms,
  compression,
  renegotiation,
  secureRenegotiation,
  extendedMasterSecret,
  fallback,
  resumption,
  mutualTls,
  clientCertificateRefusal,
  errorBehaviour,
];

/** Description of a rule, with the kind of its evidence. */
export interface RuleDescription extends RuleText {
  /** What it looks at. */
  readonly on: readonly ('files' | 'servers')[];
}

/** Every rule as data, for documents; one for both files and servers is listed once. */
export function describeRules(): RuleDescription[] {
  const both = (rules: readonly Rule<never>[], ...on: RuleDescription['on']) =>
    rules.map(({ id, title, severities, why, fix }) => ({ id, title, severities, why, fix, on }));
  const all = [
    ...both(chainRules, 'files', 'servers'),
    ...both(fileRules, 'files'),
    ...both(listRules, 'files'),
    ...both(verificationRules, 'files'),
    ...both(keyRules, 'files'),
    ...both(endpointRules, 'servers'),
  ];
  const merged = new Map<string, RuleDescription>();
  for (const rule of all) {
    const earlier = merged.get(rule.id);
    merged.set(rule.id, earlier === undefined ? rule : { ...rule, on: [...earlier.on, ...rule.on] });
  }
  return [...merged.values()];
}
