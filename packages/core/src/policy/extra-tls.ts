/** The `tls` option: raw `node:tls` options, minus those that would undo a check of ours. */
import { InvalidOptionError } from '../errors/index.js';
import { record } from '../options/index.js';

export type ExtraTls = Readonly<Record<string, unknown>>;

/** Option of `node:tls` → the typed option that takes its place. */
const replaced: Readonly<Record<string, string>> = {
  rejectUnauthorized: 'dangerouslySkipVerification (client) or clientCertificates (server)',
  checkServerIdentity: 'expectedName',
  requestCert: 'clientCertificates',
  SNICallback: 'sni',
  ALPNProtocols: 'framing',
  ALPNCallback: 'framing',
  ticketKeys: 'ticketSecret',
  sessionIdContext: 'clientCertificates and authorize, which it is derived from',
  session: 'resume',
  pskCallback: 'credentials',
  pskIdentityHint: 'credentials',
  socket: 'socket',
  onread: 'framing: raw() and stream()',
  secureContext: 'credentials',
  host: 'host',
  port: 'port',
  path: 'path',
  servername: 'servername',
  handshakeTimeout: 'handshakeTimeout',
  allowHalfOpen: 'framing: raw() and stream()',
  cert: 'credentials',
  key: 'credentials',
  ca: 'credentials',
  crl: 'credentials or revocation',
  pfx: 'credentials',
  passphrase: 'credentials',
  allowPartialTrustChain: 'partialChain',
  minVersion: 'profile.minVersion',
  maxVersion: 'profile.maxVersion',
  secureProtocol: 'profile.minVersion and profile.maxVersion',
  ciphers: 'profile.ciphers',
  ecdhCurve: 'profile.groups',
  sigalgs: 'profile.signatureAlgorithms',
};

/** @throws InvalidOptionError naming the typed option that does the same safely */
export function parseExtraTls(name: string, tls: object | undefined): ExtraTls {
  if (tls === undefined) return {};
  record(name, tls);
  for (const option of Object.keys(tls)) {
    const instead = Object.hasOwn(replaced, option) ? replaced[option] : undefined;
    if (instead !== undefined)
      throw new InvalidOptionError(`tls.${option}`, `tls.${option} is decided by ${instead}`);
  }
  return Object.freeze({ ...tls });
}
