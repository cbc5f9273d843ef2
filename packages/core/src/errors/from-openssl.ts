/** What OpenSSL says of a handshake, by alert numbers (RFC 8446 6) where it can: the text of its codes differs by version. */
import type { HandshakeOffer } from './evidence.js';
import type { PeerReason } from './reason.js';
import { ClientCertificateRefusedError, HandshakeError, type HandshakeReason } from './security.js';

/** Whose connection it is, and what we offered. */
interface TlsContext {
  readonly peer: string;
  readonly offer?: HandshakeOffer | undefined;
}

/** What OpenSSL says of a TLS connection; null where the error isn't OpenSSL's. */
export function fromTls(error: Error, context: TlsContext): HandshakeError | null {
  const { code = '' } = error as { code?: string };
  const alert = alerts[alertNumber(error) ?? -1];
  if (alert !== undefined) return failure(alert[0], alert[1], error, context);
  const text = `${code} ${error.message}`;
  for (const [pattern, reason, message] of words) {
    if (pattern.test(text)) return failure(reason, message, error, context);
  }
  return /^ERR_(SSL|OSSL|TLS)/.test(code) ? failure('other', error.message, error, context) : null;
}

function failure(
  reason: HandshakeReason,
  message: string,
  cause: Error,
  { peer, offer }: TlsContext,
): HandshakeError {
  const text = `TLS with ${peer} failed: ${withOffer(reason, message, offer)}`;
  return new HandshakeError(reason, text, { cause, offer });
}

/** Alerts by which a server says what it has against our certificate (RFC 8446 6.2). */
const refusals: Readonly<Record<number, [PeerReason | 'unknown', string]>> = {
  42: ['malformed', 'bad certificate'],
  43: ['malformed', 'unsupported certificate'],
  44: ['revoked', 'certificate revoked'],
  45: ['expired', 'certificate expired'],
  46: ['unknown', 'certificate unknown'],
  48: ['unknown-issuer', 'unknown CA'],
  49: ['not-allowed', 'access denied'],
  116: ['no-certificate', 'certificate required'],
};

/** What a client's handshake came to before it failed. */
export interface HandshakeProgress {
  /** Whether the server asked for our certificate, which it does once all else is agreed on. */
  readonly asked: boolean;
  /** Whether we showed one. */
  readonly shown: boolean;
}

/**
 * A refusal of our certificate by an alert. Under TLS 1.2 servers refuse the lack of one by other alerts too: OpenSSL's by
 * handshake_failure, GnuTLS's by decode_error; behind their request for it those mean nothing else.
 */
export function refusalByAlert(
  error: Error,
  address: string,
  progress?: HandshakeProgress,
): ClientCertificateRefusedError | null {
  const number = alertNumber(error);
  if (number === undefined) return null;
  const told = refusals[number] ?? (progress?.asked === true ? hidden[number] : undefined);
  if (told === undefined) return null;
  const [reason, words] = progress?.asked === true && !progress.shown ? none : told;
  const what =
    reason === 'no-certificate'
      ? 'requires a client certificate and we sent none'
      : `refused our certificate (${words})`;
  return new ClientCertificateRefusedError(reason, `${address} ${what}`, { cause: error });
}

const none: [PeerReason, string] = ['no-certificate', ''];

const hidden: Readonly<Record<number, ['unknown', string]>> = {
  40: ['unknown', 'handshake failure'],
  50: ['unknown', 'decode error'],
};

/** By which a side says on an established connection that it can't go on (`sendAlert`): unexpected_message, bad_record_mac, internal_error. */
export function isBrokenOff(error: Error): boolean {
  return [10, 20, 80].includes(alertNumber(error) ?? 0);
}

function alertNumber(error: Error): number | undefined {
  const number = /SSL alert number (\d+)/.exec(error.message)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Alerts as they read on the side that received the alert. */
const alerts: Readonly<Record<number, [HandshakeReason, string]>> = {
  20: ['bad-record', "the peer couldn't decrypt a record"],
  40: [
    'cipher',
    'the peer accepts none of the parameters offered (cipher suites, groups, signature algorithms), or has no certificate to show',
  ],
  42: ['certificate-rejected', 'the peer calls our certificate bad'],
  43: ['certificate-rejected', "the peer doesn't support our certificate's type"],
  44: ['certificate-rejected', 'the peer says our certificate is revoked'],
  45: ['certificate-rejected', 'the peer says our certificate has expired'],
  46: ['certificate-rejected', "the peer doesn't accept our certificate"],
  48: ['certificate-rejected', "the peer doesn't know the CA of our certificate"],
  49: ['certificate-rejected', 'the peer denied us access'],
  51: ['bad-record', "the peer couldn't verify the handshake"],
  70: ['protocol-version', 'the peer supports no TLS version that we do'],
  71: ['cipher', 'the peer finds the parameters offered too weak'],
  86: ['protocol-version', 'the peer refuses an inappropriate fallback to an older TLS version'],
  112: ['unknown-name', 'the peer has no certificate for the name asked for'],
  116: ['certificate-required', 'the peer requires a certificate and we sent none'],
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
    /WRONG_VERSION_NUMBER|UNKNOWN_PROTOCOL|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE/,
    'not-tls',
    "the peer doesn't speak TLS here",
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
  [/UNEXPECTED_MESSAGE/, 'other', 'the peer sent a message of TLS that may not come at this point'],
  [/BAD_RECORD_MAC|DECRYPTION_FAILED|BAD_DECRYPT/, 'bad-record', 'a record was damaged on the way'],
];

/** The part of our offer that the failure is about. */
function withOffer(reason: HandshakeReason, message: string, offer: HandshakeOffer | undefined): string {
  const field = disputed[reason];
  return offer === undefined || field === undefined ? message : `${message}; ours: ${offer[field]}`;
}

const disputed: Partial<Record<HandshakeReason, keyof HandshakeOffer>> = {
  'protocol-version': 'versions',
  cipher: 'ciphers',
  group: 'groups',
  'signature-algorithm': 'signatureAlgorithms',
};
