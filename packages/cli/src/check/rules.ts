/** Every rule, by what it looks at. */
import type { Severity } from '../severity.js';
import type { ChainRule, EndpointRule, FileRule, FilesRule, ListRule, Rule } from './rule.js';
import { caSigned } from './rules/ca-signed.js';
import { chainOrder } from './rules/chain-order.js';
import { ciphers } from './rules/ciphers.js';
import { clientCertificateRefusal } from './rules/client-certificate-refusal.js';
import { compression } from './rules/compression.js';
import { crlFreshness } from './rules/crl-freshness.js';
import { dhParameters } from './rules/dh-parameters.js';
import { endpointVerification } from './rules/endpoint-verification.js';
import { errorBehaviour } from './rules/error-behaviour.js';
import { expiry } from './rules/expiry.js';
import { extendedMasterSecret } from './rules/extended-master-secret.js';
import { fallback } from './rules/fallback.js';
import { form } from './rules/form.js';
import { groups } from './rules/groups.js';
import { hybridGroup } from './rules/hybrid-group.js';
import { keyMatch } from './rules/key-match.js';
import { keyPermissions } from './rules/key-permissions.js';
import { minimumTls } from './rules/minimum-tls.js';
import { mutualTls } from './rules/mutual-tls.js';
import { names } from './rules/names.js';
import { readable } from './rules/readable.js';
import { renegotiation } from './rules/renegotiation.js';
import { resumption } from './rules/resumption.js';
import { revocation } from './rules/revocation.js';
import { rotation } from './rules/rotation.js';
import { secureRenegotiation } from './rules/secure-renegotiation.js';
import { serverPreference } from './rules/server-preference.js';
import { signatureAlgorithms } from './rules/signature-algorithms.js';
import { strongKeys } from './rules/strong-keys.js';
import { tls13 } from './rules/tls13.js';
import { verification } from './rules/verification.js';

export const chainRules: readonly ChainRule[] = [
  strongKeys,
  caSigned,
  expiry,
  form,
  names,
  chainOrder,
  rotation,
  revocation,
];

export const fileRules: readonly FileRule[] = [readable];

export const listRules: readonly ListRule[] = [crlFreshness];

export const filesRules: readonly FilesRule[] = [verification, keyMatch, keyPermissions];

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

/** What a rule says of itself. */
export interface RuleDescription {
  readonly id: string;
  readonly title: string;
  readonly severities: readonly Severity[];
  readonly why: string;
  readonly fix: string;
  /** What it looks at. */
  readonly on: readonly ('files' | 'servers')[];
}

/** Every rule as data, for documents; one that looks at both files and servers comes once. */
export function describeRules(): RuleDescription[] {
  const both = (rules: readonly Rule<never>[], ...on: RuleDescription['on']) =>
    rules.map(({ id, title, severities, why, fix }) => ({ id, title, severities, why, fix, on }));
  const all = [
    ...both(chainRules, 'files', 'servers'),
    ...both(fileRules, 'files'),
    ...both(listRules, 'files'),
    ...both(filesRules, 'files'),
    ...both(endpointRules, 'servers'),
  ];
  const merged = new Map<string, RuleDescription>();
  for (const rule of all) {
    const earlier = merged.get(rule.id);
    merged.set(rule.id, earlier === undefined ? rule : { ...rule, on: [...earlier.on, ...rule.on] });
  }
  return [...merged.values()];
}
