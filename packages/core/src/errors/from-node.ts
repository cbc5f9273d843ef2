/**
 * The only translator of what Node and OpenSSL raise into knsock's errors. It reads alert numbers rather than codes
 * where it can: the codes' text differs between OpenSSL's versions.
 */
import { EasySocketError } from './base.js';
import {
  ConnectionClosedError,
  ConnectionError,
  ConnectionRefusedError,
  PortInUseError,
} from './connection.js';
import {
  ClientCertificateRefusedError,
  CredentialsError,
  HandshakeError,
  type HandshakeReason,
} from './security.js';
import type { Reason } from './reason.js';

type NodeError = Error & { code?: string; syscall?: string; hostname?: string };

/** What was being reached, for the sentence. */
export interface Target {
  /** Such as `db.internal:5433`, or a socket's path. */
  readonly address: string;
}

/** A failure of an established connection. */
export function fromConnection(error: Error, side: 'client' | 'server'): EasySocketError {
  if (error instanceof EasySocketError) return error;
  const refusal = side === 'client' ? refusalByAlert(error) : null;
  if (refusal !== null) return refusal;
  const { code = '' } = error as NodeError;
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED') {
    return new ConnectionError('KNSOCK_CONNECTION_RESET', 'the peer cut the connection', { cause: error });
  }
  const handshake = fromTls(error);
  if (handshake !== null) return handshake;
  if (code === 'ERR_STREAM_DESTROYED' || code === 'ERR_STREAM_WRITE_AFTER_END') {
    return new ConnectionClosedError('unknown', 'the connection is closed', { cause: error });
  }
  return new ConnectionError('KNSOCK_CONNECTION_FAILED', `the connection failed: ${error.message}`, {
    cause: error,
  });
}

/** A failure to reach a host. */
export function fromDial(error: Error, { address }: Target): EasySocketError {
  if (error instanceof EasySocketError) return error;
  const { code = '', hostname } = error as NodeError;
  switch (code) {
    case 'ECONNREFUSED':
      return new ConnectionRefusedError(`nobody listens at ${address}`, { cause: error });
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
      return new ConnectionError(
        'KNSOCK_HOST_NOT_FOUND',
        `the host name ${hostname ?? address} can’t be resolved (${code})`,
        {
          cause: error,
          retryable: code === 'EAI_AGAIN',
        },
      );
    case 'ENOENT':
      return new ConnectionRefusedError(`there is no socket at ${address}`, { cause: error });
    case 'EACCES':
    case 'EPERM':
      return new ConnectionError('KNSOCK_PERMISSION_DENIED', `connecting to ${address} isn’t permitted`, {
        cause: error,
      });
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return new ConnectionError('KNSOCK_NETWORK_UNREACHABLE', `no network leads to ${address} (${code})`, {
        cause: error,
      });
    default:
      return new ConnectionError(
        'KNSOCK_CONNECTION_FAILED',
        `connecting to ${address} failed: ${error.message}`,
        { cause: error },
      );
  }
}

/** A failure of the handshake; `side` is whose error it is. */
export function fromHandshake(error: Error, side: 'client' | 'server', { address }: Target): EasySocketError {
  if (error instanceof EasySocketError) return error;
  const refusal = side === 'client' ? refusalByAlert(error) : null;
  if (refusal !== null) return refusal;
  const { code = '' } = error as NodeError;
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    const who = side === 'client' ? `${address} ended` : `the client ${address} ended`;
    return new HandshakeError('disconnected', `${who} the connection during the TLS handshake`, {
      cause: error,
    });
  }
  return (
    fromTls(error) ??
    new HandshakeError('other', `the TLS handshake with ${address} failed: ${error.message}`, {
      cause: error,
    })
  );
}

/** A failure to listen. */
export function fromListen(
  error: Error,
  place: { port?: number | undefined; path?: string | undefined; host?: string | undefined },
): EasySocketError {
  const { code = '' } = error as NodeError;
  const where = place.path ?? `${place.host ?? ''}:${place.port ?? 0}`;
  switch (code) {
    case 'EADDRINUSE':
      return new PortInUseError(place.path ?? place.port ?? 0, `${where} is in use by another program`, {
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new ConnectionError('KNSOCK_PERMISSION_DENIED', `listening on ${where} isn’t permitted`, {
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ConnectionError(
        'KNSOCK_ADDRESS_NOT_AVAILABLE',
        `${where} isn’t an address of this machine`,
        { cause: error },
      );
    default:
      return new ConnectionError(
        'KNSOCK_CONNECTION_FAILED',
        `listening on ${where} failed: ${error.message}`,
        { cause: error },
      );
  }
}

/** What Node raises on reading a file of credentials. */
export function fromFile(error: Error, file: string): CredentialsError {
  const { code = '' } = error as NodeError;
  if (code === 'ENOENT')
    return new CredentialsError('missing-file', `there is no file ${file}`, { file, cause: error });
  const why = code === 'EISDIR' ? 'it is a folder' : code === 'EACCES' ? 'permission denied' : error.message;
  return new CredentialsError('unreadable', `${file} can’t be read: ${why}`, { file, cause: error });
}

/** What OpenSSL raises on reading a key or a PKCS#12 file; some of it has no code. */
export function fromKeyMaterial(
  error: Error,
  what: string,
  file: string | undefined,
  passphraseGiven: boolean,
): CredentialsError {
  const { code = '' } = error as NodeError;
  const text = `${code} ${error.message}`;
  const details = { file, cause: error };
  if (
    /BAD_DECRYPT|INTERRUPTED_OR_CANCELLED|MISSING_PASSPHRASE|mac verify failure|bad decrypt|bad password/i.test(
      text,
    )
  ) {
    const problem = passphraseGiven
      ? 'the passphrase is wrong'
      : 'it is encrypted and no passphrase was given';
    return new CredentialsError('passphrase', `${what} can’t be opened: ${problem}`, details);
  }
  if (/KEY_VALUES_MISMATCH/i.test(text)) {
    return new CredentialsError('mismatch', `${what} doesn’t belong to the certificate`, details);
  }
  if (/KEY_TOO_SMALL|MD_TOO_WEAK/i.test(text))
    return new CredentialsError('weak', `${what} is too weak`, details);
  if (/UNSUPPORTED_OPERATION|RC2/i.test(text) && !/ERR_OSSL_UNSUPPORTED/.test(text)) {
    return new CredentialsError(
      'unsupported',
      `${what} uses an algorithm that OpenSSL no longer offers`,
      details,
    );
  }
  return new CredentialsError('garbage', `${what} can’t be read: it isn’t what was expected`, details);
}

/** Alerts by which a server says what it has against our certificate (RFC 8446 6.2). */
const refusals: Readonly<Record<number, [Reason | 'unknown', string]>> = {
  42: ['malformed', 'bad certificate'],
  43: ['malformed', 'unsupported certificate'],
  44: ['revoked', 'certificate revoked'],
  45: ['expired', 'certificate expired'],
  46: ['unknown', 'certificate unknown'],
  48: ['unknown-issuer', 'unknown CA'],
  49: ['not-allowed', 'access denied'],
  116: ['missing', 'certificate required'],
};

function refusalByAlert(error: Error): ClientCertificateRefusedError | null {
  const refusal = refusals[alertNumber(error) ?? -1];
  if (refusal === undefined) return null;
  const [reason, words] = refusal;
  const what =
    reason === 'missing'
      ? 'requires a client certificate and we showed none'
      : `refused our certificate (${words})`;
  return new ClientCertificateRefusedError(reason, `the server ${what}`, { cause: error });
}

function alertNumber(error: Error): number | undefined {
  const number = /SSL alert number (\d+)/.exec(error.message)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** OpenSSL's alert numbers (RFC 8446 6) as they read on the side that received the alert. */
const alerts: Readonly<Record<number, [HandshakeReason, string]>> = {
  20: ['bad-record', 'the peer couldn’t decrypt a record'],
  40: [
    'cipher',
    'the peer accepts none of the parameters offered (cipher suites, groups, signature algorithms), or has no certificate to show',
  ],
  42: ['certificate-rejected', 'the peer calls our certificate bad'],
  43: ['certificate-rejected', 'the peer doesn’t support our certificate’s type'],
  44: ['certificate-rejected', 'the peer says our certificate is revoked'],
  45: ['certificate-rejected', 'the peer says our certificate has expired'],
  46: ['certificate-rejected', 'the peer doesn’t accept our certificate'],
  48: ['certificate-rejected', 'the peer doesn’t know the CA of our certificate'],
  49: ['certificate-rejected', 'the peer denied us access'],
  51: ['bad-record', 'the peer couldn’t verify the handshake'],
  70: ['protocol-version', 'the peer supports no TLS version that we do'],
  71: ['cipher', 'the peer finds the parameters offered too weak'],
  86: ['protocol-version', 'the peer refuses an inappropriate fallback to an older TLS version'],
  112: ['unknown-name', 'the peer has no certificate for the name asked for'],
  116: ['certificate-required', 'the peer requires a certificate and we showed none'],
  120: ['alpn', 'the peer speaks none of the application protocols offered'],
};

const words: readonly [pattern: RegExp, reason: HandshakeReason, message: string][] = [
  [
    /ERR_SSL_HTTP_REQUEST|HTTPS_PROXY_REQUEST/,
    'plain-http',
    'the peer sent a plain HTTP request instead of TLS',
  ],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE/, 'certificate-required', 'the peer showed no certificate'],
  [
    /UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|VERSION_TOO_LOW/,
    'protocol-version',
    'the peer supports no TLS version that we do',
  ],
  [
    /WRONG_VERSION_NUMBER|UNKNOWN_PROTOCOL|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE|RECORD_LAYER_FAILURE/,
    'not-tls',
    'the peer doesn’t speak TLS here',
  ],
  [
    /NO_SUITABLE_KEY_SHARE|NO_SHARED_GROUP|WRONG_CURVE/,
    'group',
    'the peer offers no key-exchange group that we accept',
  ],
  [
    /NO_SUITABLE_SIGNATURE_ALGORITHM|NO_SHARED_SIGNATURE/,
    'signature-algorithm',
    'the peer offers no signature algorithm that our certificate can use',
  ],
  [/NO_SHARED_CIPHER/, 'cipher', 'the peer offers no cipher suite that we accept'],
  [/NO_APPLICATION_PROTOCOL/, 'alpn', 'the peer speaks none of our application protocols'],
  [/NO_RENEGOTIATION|SESSION_ATTACK/, 'renegotiation', 'the peer tried to renegotiate'],
  [/BAD_RECORD_MAC|DECRYPTION_FAILED|BAD_DECRYPT/, 'bad-record', 'a record was damaged on the way'],
];

/** What OpenSSL says of a TLS connection; null where the error isn't OpenSSL's. */
function fromTls(error: Error): HandshakeError | null {
  const { code = '' } = error as NodeError;
  const alert = alerts[alertNumber(error) ?? -1];
  if (alert !== undefined) return new HandshakeError(alert[0], alert[1], { cause: error });
  const text = `${code} ${error.message}`;
  for (const [pattern, reason, message] of words) {
    if (pattern.test(text)) return new HandshakeError(reason, message, { cause: error });
  }
  if (/^ERR_(SSL|OSSL|TLS)/.test(code))
    return new HandshakeError('other', `TLS failed: ${error.message}`, { cause: error });
  return null;
}
