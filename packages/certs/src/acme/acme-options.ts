/** The options of `acmeCredentials`, read once. */
import type { ListenOptions } from '@knsock/core';
import { InvalidOptionError } from '@knsock/core/errors';
import {
  abortSignal,
  checkOptions,
  failures,
  filePath,
  flag,
  fraction,
  integerWithin,
  milliseconds,
  readAllOptions,
  record,
  required,
  text,
  textOrTexts,
  texts,
  withDefault,
  word,
  type OptionReaders,
  type ReadOptions,
} from '@knsock/core/options';
import type { KeyType } from '../keys/keys.js';
import { RENEW_AT } from '../renewal/renewal.js';
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
export interface AcmeSettings extends ReadOptions<typeof acmeOptions> {
  readonly identifiers: readonly Identifier[];
  /** The names as one text, to tell one set from another. */
  readonly names: string;
  readonly place: ListenPlace;
}

const bindingOptions = { kid: required<string>(text), hmacKey: required<string>(text) } as const;

/** How each of them is read, and its default. */
export const acmeOptions = {
  domains: required<readonly string[]>(texts),
  directory: required<string>(readDirectory),
  challenge: required<AcmeChallengeType>(word('tls-alpn-01', 'http-01')),
  dir: required<string>(filePath),
  agree: withDefault<boolean>(flag, false),
  email: readEmail,
  listen: record<AcmeOptions['listen']>,
  httpChallenges: readChallenges,
  caFile: textOrTexts<string | readonly string[] | undefined>,
  crlFile: textOrTexts<string | readonly string[] | undefined>,
  directoryCa: readPem,
  proxy: readProxy,
  profile: text<string | undefined>,
  eab: readBinding,
  keyType: withDefault<AcmeKeyType>(word('p256', 'p384', 'rsa2048', 'rsa3072', 'rsa4096'), 'p256'),
  renewAt: withDefault<number>(fraction, RENEW_AT),
  timeout: withDefault<number>(milliseconds, 30_000),
  orderTimeout: withDefault<number>(milliseconds, 300_000),
  retryAfter: withDefault<number>(milliseconds, 300_000),
  signal: abortSignal,
  onError: failures,
} as const satisfies OptionReaders<AcmeOptions>;

/**
 * Reads the options.
 * @throws InvalidOptionError naming the option; CertificateError `KNSOCK_CERTIFICATE_NAME`
 */
export function readAcmeOptions(given: AcmeOptions): AcmeSettings {
  const options = readAllOptions(given, acmeOptions);
  const { challenge, listen = {}, directory, httpChallenges } = options;
  checkListen(listen, challenge);
  if (httpChallenges !== undefined && challenge !== 'http-01')
    throw new InvalidOptionError('httpChallenges', 'httpChallenges goes with the challenge http-01');
  const identifiers = readIdentifiers(options.domains);
  refusePrivateNames(identifiers, directory);
  const names = identifiers.map(({ value }) => value).sort();
  const place = { ...listen, port: listen.port ?? challengePorts[challenge] };
  return { ...options, identifiers, names: names.join(' '), place };
}

/** How the directory is reached. */
export function transportOf(
  { directoryCa: ca, proxy, timeout }: AcmeSettings,
  signal: AbortSignal | undefined,
): TransportOptions {
  return { ca, proxy, timeout, signal };
}

/** The value isn't shown: it may contain a password. */
function readProxy(option: string, proxy: string | undefined): URL | undefined {
  if (proxy === undefined) return undefined;
  if (typeof proxy !== 'string') throw notProxy(option);
  const url = URL.canParse(proxy) ? new URL(proxy) : undefined;
  const { protocol = '', pathname = '', search = '' } = url ?? {};
  if (/^socks/.test(protocol)) throw notProxy(option, `; SOCKS (${protocol}) isn't supported`);
  const isHttp = protocol === 'http:' || protocol === 'https:';
  if (url !== undefined && isHttp && pathname === '/' && search === '' && isDecodable(url)) return url;
  throw notProxy(option);
}

function notProxy(option: string, why = ''): InvalidOptionError {
  const words = `${option} must be an http or https URL, such as http://proxy.example:3128${why}`;
  return new InvalidOptionError(option, words);
}

function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

function readDirectory(option: string, directory: string): string {
  text(option, directory);
  try {
    secureUrl(directory);
    return directory;
  } catch {
    throw new InvalidOptionError(option, `${option} must be an https URL, not '${directory}'`);
  }
}

function readEmail(option: string, email: string | undefined): string | undefined {
  text(option, email);
  if (email === undefined || /^[^\s@,?]+@[^\s@,?]+$/.test(email)) return email;
  throw new InvalidOptionError(option, `${option} must be an address, not '${email}'`);
}

/** The key isn't shown. */
function readBinding(option: string, eab: AcmeOptions['eab']): AcmeOptions['eab'] {
  if (eab === undefined) return undefined;
  const { hmacKey } = readAllOptions(eab, bindingOptions, option);
  if (/^[\w+/-]{16,}={0,2}$/.test(hmacKey)) return eab;
  throw new InvalidOptionError(`${option}.hmacKey`, `${option}.hmacKey must be the key in base64url`);
}

function readChallenges(
  option: string,
  value: Map<string, string> | undefined,
): Map<string, string> | undefined {
  if (value === undefined || value instanceof Map) return value;
  throw new InvalidOptionError(option, `${option} must be a Map`);
}

function readPem(option: string, value: string | Uint8Array | undefined): string | Uint8Array | undefined {
  if (value === undefined || value instanceof Uint8Array || (typeof value === 'string' && value !== ''))
    return value;
  throw new InvalidOptionError(option, `${option} must be PEM, as text or bytes`);
}

const HTTP_ALONE =
  'The listener of http-01 reads plain HTTP, from any address. Behind a proxy that sends the PROXY protocol, let an HTTP server of yours answer: httpChallenges.';

function checkListen(listen: NonNullable<AcmeOptions['listen']>, challenge: AcmeChallengeType): void {
  const tlsAlone = { proxyProtocol: record, allow: texts, deny: texts } as const;
  checkOptions(listen, { host: text, port: integerWithin({ min: 1, max: 65_535 }), ...tlsAlone }, 'listen');
  if (challenge === 'tls-alpn-01') return;
  for (const name of Object.keys(tlsAlone) as (keyof typeof tlsAlone)[])
    if (listen[name] !== undefined)
      throw new InvalidOptionError(`listen.${name}`, `listen.${name} goes with the challenge tls-alpn-01`, {
        hint: HTTP_ALONE,
      });
}
