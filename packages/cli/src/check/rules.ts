/** Every rule, by what it looks at. */
import type { ChainRule, EndpointRule, FilesRule } from './rule.js';
import { caSigned } from './rules/ca-signed.js';
import { chainOrder } from './rules/chain-order.js';
import { ciphers } from './rules/ciphers.js';
import { endpointVerification } from './rules/endpoint-verification.js';
import { errorBehaviour } from './rules/error-behaviour.js';
import { expiry } from './rules/expiry.js';
import { hybridGroup } from './rules/hybrid-group.js';
import { keyMatch } from './rules/key-match.js';
import { keyPermissions } from './rules/key-permissions.js';
import { minimumTls } from './rules/minimum-tls.js';
import { mutualTls } from './rules/mutual-tls.js';
import { names } from './rules/names.js';
import { renegotiation } from './rules/renegotiation.js';
import { resumption } from './rules/resumption.js';
import { revocation } from './rules/revocation.js';
import { rotation } from './rules/rotation.js';
import { serverPreference } from './rules/server-preference.js';
import { signatureAlgorithms } from './rules/signature-algorithms.js';
import { strongKeys } from './rules/strong-keys.js';
import { tls13 } from './rules/tls13.js';
import { verification } from './rules/verification.js';

export const chainRules: readonly ChainRule[] = [
  strongKeys,
  caSigned,
  expiry,
  names,
  chainOrder,
  rotation,
  revocation,
];

export const filesRules: readonly FilesRule[] = [verification, keyMatch, keyPermissions];

export const endpointRules: readonly EndpointRule[] = [
  endpointVerification,
  minimumTls,
  tls13,
  ciphers,
  serverPreference,
  signatureAlgorithms,
  hybridGroup,
  renegotiation,
  resumption,
  mutualTls,
  errorBehaviour,
];
