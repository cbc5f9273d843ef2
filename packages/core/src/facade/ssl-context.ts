/**
 * `sslContext`: what a Python user builds with the ssl module, as Node's SecureContextOptions, read into our typed
 * options. A built SecureContext doesn't expose its anchors, so it is refused: peers couldn't be verified.
 */
import type { SecureContextOptions } from 'node:tls';
import type { CredentialsOptions } from '../credentials/credentials.js';
import { InvalidOptionError } from '../errors/index.js';
import { oneOf } from '../options/index.js';
import type { TlsProfileOptions } from '../policy/tls-profile.js';

/** The same in the options of `listen`. */
export interface SslContext {
  readonly credentials: CredentialsOptions;
  readonly profile: TlsProfileOptions;
  readonly partialChain: boolean | undefined;
  /** What has no typed option and undoes no check. */
  readonly tls: Readonly<Record<string, unknown>>;
}

/** Options of Node's that stay what they are. */
const passedOn = ['dhparam', 'honorCipherOrder', 'secureOptions', 'sessionTimeout'] as const;

/** Options of Node's (some of its servers') that are refused, and what does the same. */
const refused: Readonly<Record<string, string>> = {
  secureProtocol: 'minVersion and maxVersion say the same',
  sessionIdContext: 'it is derived from what decides trust',
  ticketKeys: 'listen() takes ticketSecret',
  clientCertEngine: 'engines are gone from OpenSSL',
  privateKeyEngine: 'engines are gone from OpenSSL',
  privateKeyIdentifier: 'engines are gone from OpenSSL',
  requestCert: 'use requireClientCert',
  rejectUnauthorized: 'use requireClientCert; who shows a bad certificate is always refused',
  SNICallback: 'listen() takes sni',
  ALPNProtocols: "kn-sock's bytes have no ALPN protocol; listen() takes a framing",
};

const read = new Set(
  'ca cert key crl pfx passphrase minVersion maxVersion ciphers ecdhCurve sigalgs allowPartialTrustChain'.split(
    ' ',
  ),
);

/** @throws InvalidOptionError */
export function parseSslContext(context: SecureContextOptions): SslContext {
  refuseBuilt(context);
  for (const name of Object.keys(context)) refuseOption(name);
  const { allowPartialTrustChain, passphrase } = context as {
    allowPartialTrustChain?: boolean;
  } & typeof context;
  const key = parseKey(context.key);
  return {
    credentials: defined({
      cert: single('cert', context.cert),
      key: key?.pem,
      ca: context.ca,
      crl: context.crl,
      ...parsePfx(context.pfx, key?.passphrase ?? passphrase),
    }),
    profile: parseProfileNames(context),
    partialChain: allowPartialTrustChain,
    tls: Object.fromEntries(Object.entries(context).filter(([name]) => isPassedOn(name))),
  };
}

function refuseBuilt(context: unknown): void {
  if (typeof context !== 'object' || context === null) {
    throw new InvalidOptionError('sslContext', "sslContext must be an object of Node's SecureContextOptions");
  }
  if (!('context' in context)) return;
  throw new InvalidOptionError(
    'sslContext',
    "sslContext is a built SecureContext, which doesn't show its trusted CAs; pass the options it was created from",
  );
}

function refuseOption(name: string): void {
  if (read.has(name) || isPassedOn(name)) return;
  const instead = Object.hasOwn(refused, name) ? refused[name] : undefined;
  const option = `sslContext.${name}`;
  throw new InvalidOptionError(
    option,
    instead === undefined ? `there is no option ${option}` : `${option}: ${instead}`,
  );
}

function isPassedOn(name: string): boolean {
  return (passedOn as readonly string[]).includes(name);
}

/** Cipher lists name TLS 1.2 suites, 1.3 suites or both; without names of 1.3 its suites stay as they are. */
function parseProfileNames({
  minVersion,
  maxVersion,
  ciphers,
  ecdhCurve,
  sigalgs,
}: SecureContextOptions): TlsProfileOptions {
  const versions = ['TLSv1.2', 'TLSv1.3'] as const;
  return defined({
    minVersion: oneOf('sslContext.minVersion', minVersion, versions),
    maxVersion: oneOf('sslContext.maxVersion', maxVersion, versions),
    ciphers,
    groups: ecdhCurve === 'auto' ? undefined : ecdhCurve,
    signatureAlgorithms: sigalgs,
  });
}

function parseKey(
  key: SecureContextOptions['key'],
): { pem: string | Buffer; passphrase?: string | undefined } | undefined {
  const one = single('key', key);
  if (one === undefined) return undefined;
  if (typeof one === 'string' || Buffer.isBuffer(one)) return { pem: one };
  return { pem: one.pem, passphrase: one.passphrase };
}

function parsePfx(
  pfx: SecureContextOptions['pfx'],
  passphrase: string | undefined,
): Pick<CredentialsOptions, 'pfx' | 'passphrase'> {
  const one = single('pfx', pfx);
  if (typeof one === 'string') {
    throw new InvalidOptionError('sslContext.pfx', 'sslContext.pfx is binary: give a Buffer');
  }
  if (one === undefined || one instanceof Uint8Array) return { pfx: one, passphrase };
  const { buf, passphrase: own } = one as { buf: Uint8Array; passphrase?: string };
  return { pfx: buf, passphrase: own ?? passphrase };
}

/** Node takes lists (one pair per kind of key); we hold one pair. */
function single<T>(name: string, value: T | readonly T[] | undefined): T | undefined {
  if (!Array.isArray(value)) return value as T | undefined;
  if (value.length <= 1) return value[0] as T | undefined;
  throw new InvalidOptionError(
    `sslContext.${name}`,
    `sslContext.${name} has ${value.length} entries; a server here has one certificate and key`,
  );
}

function defined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
