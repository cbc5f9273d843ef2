/** The options of `acmeCredentials`, read once. */
import type { ListenOptions } from '@knsock/core';
import { InvalidOptionError } from '@knsock/core/errors';
import {
  abortSignal,
  anything,
  callback,
  checkOptions,
  flag,
  integer,
  milliseconds,
  oneOf,
  record,
  text,
  textOrTexts,
  texts,
  type OptionReaders,
} from '@knsock/core/options';
import type { KeyType } from '../keys/keys.js';
import { challengePorts, type AcmeChallengeType, type ListenPlace } from './challenge-listener.js';
import { readIdentifiers, type Identifier } from './identifier.js';
import { refusePrivateNames } from './public-names.js';
import { secureUrl, type TransportOptions } from './transport.js';

/** The kinds of key that public CAs certify. */
export type AcmeKeyType = Extract<KeyType, 'p256' | 'p384' | 'rsa2048' | 'rsa3072' | 'rsa4096'>;

/** Options of `acmeCredentials`. */
export interface AcmeOptions {
  /** DNS names (international ones too) and IP addresses, 1 to 100; no wildcards. */
  readonly domains: readonly string[];
  /** The URL of the CA's directory: `letsEncrypt`, `letsEncryptStaging`, or another CA's. */
  readonly directory: string;
  /** How the names are proved; the CA connects to port 443 (tls-alpn-01) or 80 (http-01) of each. */
  readonly challenge: AcmeChallengeType;
  /** Folder for account, certificate and keys; created if missing. Processes may share it: one orders, the others load. */
  readonly dir: string;
  /** Agrees to the CA's terms of service; without it the error `KNSOCK_ACME_TERMS` says where they are. */
  readonly agree?: boolean | undefined;
  /** Where the CA may write to; default no address. Another one than the account has is sent at the start, and none removes it. */
  readonly email?: string | undefined;
  /**
   * Where validations are answered while no server of the program does; default every address, port 443 or 80. By
   * tls-alpn-01, give it what the server is given: proxies that speak first, and who may connect.
   */
  readonly listen?: Pick<ListenOptions, 'host' | 'port' | 'proxyProtocol' | 'allow' | 'deny'> | undefined;
  /**
   * For http-01 with an HTTP server of your own, instead of `listen`: holds the answers by token while they are
   * awaited. Serve `GET /.well-known/acme-challenge/TOKEN` from it.
   */
  readonly httpChallenges?: Map<string, string> | undefined;
  /** CA of the clients that the server accepts, as for `loadCredentials`; default none. */
  readonly caFile?: string | readonly string[] | undefined;
  /** Revocation lists for those clients, as for `loadCredentials`; default none. */
  readonly crlFile?: string | readonly string[] | undefined;
  /** CA of the directory's own certificate, PEM; default the public CAs that Node knows. */
  readonly directoryCa?: string | Uint8Array | undefined;
  /**
   * The HTTP proxy through which the directory is reached (by CONNECT), such as `http://proxy.example:3128`, or `https:`
   * where it takes TLS; with `NAME:PASSWORD@` where it wants that; default none. The directory's certificate is verified
   * all the same, and the proxy's own by the CAs that Node knows (`NODE_EXTRA_CA_CERTS` adds one).
   */
  readonly proxy?: string | undefined;
  /** A profile of the directory's, such as Let's Encrypt's `shortlived`; default the CA's choice. */
  readonly profile?: string | undefined;
  /** External account binding: what the CA gave you, the HMAC key in base64url. */
  readonly eab?: { readonly kid: string; readonly hmacKey: string } | undefined;
  /** Default `p256`. */
  readonly keyType?: AcmeKeyType | undefined;
  /** Fraction of its validity after which it is renewed, between 0 and 1, where the CA suggests no date; default 2/3. */
  readonly renewAt?: number | undefined;
  /** Timeout for each answer of the directory, in ms; default 30,000. */
  readonly timeout?: number | undefined;
  /** Timeout for an order with its validations, in ms; default 300,000. */
  readonly orderTimeout?: number | undefined;
  /** The first pause after a failed renewal, in ms, doubled each time up to 6 hours; default 300,000. */
  readonly retryAfter?: number | undefined;
  /** Ends the first order, and the renewals; the last credentials stay. */
  readonly signal?: AbortSignal | undefined;
  /** Receives failures of renewals, which are tried again, and of listeners; default a process warning. */
  readonly onError?: ((error: Error) => void | Promise<void>) | undefined;
}

/** The same with its defaults. */
export interface AcmeSettings extends Omit<AcmeOptions, 'proxy'> {
  readonly proxy: URL | undefined;
  readonly identifiers: readonly Identifier[];
  /** The names as one text, to tell one set from another. */
  readonly names: string;
  readonly place: ListenPlace;
  readonly timeout: number;
  readonly orderTimeout: number;
  readonly retryAfter: number;
}

const challenges = ['tls-alpn-01', 'http-01'] as const;
const keyTypes = ['p256', 'p384', 'rsa2048', 'rsa3072', 'rsa4096'] as const;

const readers: OptionReaders<AcmeOptions> = {
  domains: texts,
  directory: text,
  challenge: (option, value) => oneOf(option, value, challenges),
  dir: text,
  agree: flag,
  email: text,
  listen: record,
  httpChallenges: anything,
  caFile: textOrTexts,
  crlFile: textOrTexts,
  directoryCa: anything,
  proxy: text,
  profile: text,
  eab: record,
  keyType: (option, value) => oneOf(option, value, keyTypes),
  renewAt: anything,
  timeout: milliseconds,
  orderTimeout: milliseconds,
  retryAfter: milliseconds,
  signal: abortSignal,
  onError: callback,
};

const REQUIRED = ['domains', 'directory', 'challenge', 'dir'] as const;

/**
 * Reads the options.
 * @throws InvalidOptionError naming the option; CertificateError `KNSOCK_CERTIFICATE_NAME`
 */
export function readAcmeOptions(options: AcmeOptions): AcmeSettings {
  checkOptions(options, readers);
  for (const name of REQUIRED)
    if ((options as Partial<AcmeOptions>)[name] === undefined)
      throw new InvalidOptionError(name, `${name} must be given`);
  checkDirectory(options.directory);
  checkParts(options);
  const { challenge, listen = {}, timeout = 30_000, orderTimeout = 300_000, retryAfter = 300_000 } = options;
  const identifiers = readIdentifiers(options.domains);
  refusePrivateNames(identifiers, options.directory);
  return {
    ...options,
    ...{ timeout, orderTimeout, retryAfter, identifiers, proxy: readProxy(options.proxy) },
    names: identifiers
      .map(({ value }) => value)
      .sort()
      .join(' '),
    place: { ...listen, port: listen.port ?? challengePorts[challenge] },
  };
}

/** How the directory is reached. */
export function transportOf(
  { directoryCa: ca, proxy, timeout }: AcmeSettings,
  signal: AbortSignal | undefined,
): TransportOptions {
  return { ca, proxy, timeout, signal };
}

/** The value isn't shown: it may contain a password. */
function readProxy(proxy: string | undefined): URL | undefined {
  if (proxy === undefined) return undefined;
  const url = URL.canParse(proxy) ? new URL(proxy) : undefined;
  const { protocol = '', pathname = '', search = '' } = url ?? {};
  if (/^socks/.test(protocol))
    throw new InvalidOptionError(
      'proxy',
      `proxy must be an http or https URL, such as http://proxy.example:3128; SOCKS (${protocol}) isn't supported`,
    );
  const isHttp = protocol === 'http:' || protocol === 'https:';
  if (url !== undefined && isHttp && pathname === '/' && search === '' && isDecodable(url)) return url;
  throw new InvalidOptionError(
    'proxy',
    'proxy must be an http or https URL, such as http://proxy.example:3128',
  );
}

function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

function checkDirectory(directory: string): void {
  try {
    secureUrl(directory);
  } catch {
    throw new InvalidOptionError('directory', `directory must be an https URL, not '${directory}'`);
  }
}

function checkParts({
  listen,
  eab,
  email,
  renewAt,
  httpChallenges,
  challenge,
  directoryCa,
}: AcmeOptions): void {
  checkListen(listen ?? {}, challenge);
  if (eab !== undefined) {
    checkOptions(eab, { kid: text, hmacKey: text }, 'eab');
    if (typeof eab.kid !== 'string') throw new InvalidOptionError('eab.kid', 'eab.kid must be given');
    if (!/^[\w+/-]{16,}={0,2}$/.test(eab.hmacKey))
      throw new InvalidOptionError('eab.hmacKey', 'eab.hmacKey must be the key in base64url');
  }
  if (email !== undefined && !/^[^\s@,?]+@[^\s@,?]+$/.test(email))
    throw new InvalidOptionError('email', `email must be an address, not '${email}'`);
  if (renewAt !== undefined && !(renewAt > 0 && renewAt < 1))
    throw new InvalidOptionError('renewAt', 'renewAt is a part of the life between 0 and 1');
  if (httpChallenges !== undefined && (challenge !== 'http-01' || !(httpChallenges instanceof Map)))
    throw new InvalidOptionError(
      'httpChallenges',
      'httpChallenges must be a Map, with the challenge http-01',
    );
  if (directoryCa !== undefined && typeof directoryCa !== 'string' && !(directoryCa instanceof Uint8Array))
    throw new InvalidOptionError('directoryCa', 'directoryCa must be PEM, as text or bytes');
}

const HTTP_ALONE =
  'The listener of http-01 reads plain HTTP, from any address. Behind a proxy that sends the PROXY protocol, let an HTTP server of yours answer: httpChallenges.';

function checkListen(listen: NonNullable<AcmeOptions['listen']>, challenge: AcmeChallengeType): void {
  const tlsAlone = { proxyProtocol: record, allow: texts, deny: texts } as const;
  checkOptions(listen, { host: text, port: readPort, ...tlsAlone }, 'listen');
  if (challenge === 'tls-alpn-01') return;
  for (const name of Object.keys(tlsAlone) as (keyof typeof tlsAlone)[])
    if (listen[name] !== undefined)
      throw new InvalidOptionError(`listen.${name}`, `listen.${name} goes with the challenge tls-alpn-01`, {
        hint: HTTP_ALONE,
      });
}

function readPort(option: string, value: number | undefined): number | undefined {
  return integer(option, value, { min: 1, max: 65_535 });
}
