// Made from errors/*.yaml by `npm run format`: change it there.

import type { ErrorCode } from './codes.js';

/** `'local'`: this program or machine; `'peer'`: the other; `'either'`: one of them, which one can't be decided from here. */
export type Side = 'local' | 'peer' | 'either';

/** Why each failure happens, in words for people, and which side most likely has to change something. */
export const causes: Readonly<Record<ErrorCode, readonly [side: Side, why: string]>> = {
  KNSOCK_CONNECTION_FAILED: ['either', 'the system reported an error that has no code of its own'],
  KNSOCK_CONNECTION_REFUSED: [
    'peer',
    'nothing listens at that address, or something in between rejects connections to it',
  ],
  KNSOCK_CONNECTION_RESET: [
    'peer',
    'the peer crashed, was killed, or a device on the path dropped the connection',
  ],
  KNSOCK_CONNECTION_CLOSED: ['peer', 'the connection had ended before the call'],
  KNSOCK_CONNECTION_ENDED_EARLY: [
    'either',
    "the server refused a certificate, uses another framing, or failed; the framing can't carry the reason",
  ],
  KNSOCK_CONNECT_TIMEOUT: ['peer', 'one step of connecting got no answer in time'],
  KNSOCK_HOST_NOT_FOUND: ['local', 'the resolver of this machine knows no address for the name'],
  KNSOCK_NETWORK_UNREACHABLE: ['local', 'this machine has no route to the address'],
  KNSOCK_PORT_IN_USE: ['local', 'another program, or an earlier run of this one, listens there'],
  KNSOCK_PERMISSION_DENIED: ['local', "the system doesn't permit this to the user"],
  KNSOCK_ADDRESS_NOT_AVAILABLE: ['local', 'the address to listen on belongs to no interface of this machine'],
  KNSOCK_SERVER_DRAINING: ['peer', 'the server is shutting down and accepts no new work'],
  KNSOCK_LIMIT_REACHED: ['peer', 'the server reached a limit of connections or of their rate'],
  KNSOCK_HANDSHAKE_TIMEOUT: [
    'peer',
    "the peer connected and didn't complete TLS: a scanner, a health check, a stuck or plain-text client",
  ],
  KNSOCK_FIRST_MESSAGE_TIMEOUT: ['peer', 'the peer was admitted and sent nothing'],
  KNSOCK_IDLE_TIMEOUT: ['either', 'neither side sent anything for idleTimeout'],
  KNSOCK_HEARTBEAT_TIMEOUT: ['peer', 'the peer stopped answering: it hangs, or the network path is down'],
  KNSOCK_RECEIVE_TIMEOUT: ['peer', 'the peer sent no message in the time given'],
  KNSOCK_REQUEST_TIMEOUT: ['peer', "the peer's handler took longer than the request allowed"],
  KNSOCK_SEND_TIMEOUT: ['peer', 'the peer reads more slowly than this side sends'],
  KNSOCK_VERDICT_TIMEOUT: [
    'local',
    "verification of the peer wasn't finished at the deadline, and an undecided peer is refused",
  ],
  KNSOCK_DRAIN_TIMEOUT: ['either', 'work in flight took longer than the drain deadline'],
  KNSOCK_REPLY_TIMEOUT: ['peer', 'the peer neither ended its reply nor stopped sending'],
  KNSOCK_QUEUE_FULL: ['either', 'more waits to be sent than the limits allow'],
  KNSOCK_CONSUMED: ['local', 'the messages or requests of the connection already have a consumer'],
  KNSOCK_RELAY_FAILED: ['either', 'the stream or connection that was given to relay() failed'],
  KNSOCK_UNREAD_MESSAGES: ['local', 'unread messages block the answers behind them'],
  KNSOCK_HANDSHAKE_PROTOCOL_VERSION: ['either', "one side allows only TLS versions that the other doesn't"],
  KNSOCK_HANDSHAKE_CIPHER: [
    'either',
    "no cipher suite, group or signature algorithm is on both sides' lists, or a server has no certificate for those on them",
  ],
  KNSOCK_HANDSHAKE_GROUP: ['either', "no key-exchange group is on both sides' lists"],
  KNSOCK_HANDSHAKE_SIGNATURE_ALGORITHM: [
    'either',
    "the key of the certificate can't sign by any algorithm that the peer accepts",
  ],
  KNSOCK_HANDSHAKE_ALPN: ['either', 'the two sides offer different application protocols'],
  KNSOCK_HANDSHAKE_UNKNOWN_NAME: [
    'either',
    "the client asked by SNI for a name that the server doesn't have",
  ],
  KNSOCK_HANDSHAKE_CLIENT_HELLO: [
    'peer',
    'the ClientHello is malformed, or could be read as requesting two different names',
  ],
  KNSOCK_HANDSHAKE_NOT_TLS: [
    'peer',
    "the received bytes aren't TLS: another protocol, or a header such as PROXY's in front of it",
  ],
  KNSOCK_HANDSHAKE_PLAIN_HTTP: [
    'peer',
    'a web browser, a health check or a proxy spoke HTTP to the TLS port',
  ],
  KNSOCK_HANDSHAKE_RENEGOTIATION: ['peer', 'renegotiation has enabled many attacks, so it is disabled'],
  KNSOCK_HANDSHAKE_BAD_RECORD: ['either', 'a record failed its authentication'],
  KNSOCK_HANDSHAKE_CERTIFICATE_REJECTED: [
    'local',
    'the peer refused our certificate and aborted the handshake',
  ],
  KNSOCK_HANDSHAKE_CERTIFICATE_REQUIRED: [
    'either',
    'the server requires client certificates, and the client sent none',
  ],
  KNSOCK_HANDSHAKE_DISCONNECTED: [
    'peer',
    'the peer closed the connection during the handshake: often it refused a certificate without sending an alert',
  ],
  KNSOCK_HANDSHAKE_OTHER: ['either', 'OpenSSL failed for another reason'],
  KNSOCK_PEER_NO_CERTIFICATE: ['peer', 'a certificate is required, and the peer sent none'],
  KNSOCK_PEER_EXPIRED: ['peer', "a certificate of the peer's chain has expired by this machine's clock"],
  KNSOCK_PEER_NOT_YET_VALID: [
    'either',
    "a certificate of the peer's chain isn't valid yet by this machine's clock",
  ],
  KNSOCK_PEER_UNKNOWN_ISSUER: ['either', "no chain leads from the peer's certificate to a trusted CA"],
  KNSOCK_PEER_SELF_SIGNED: ['local', "the peer's certificate is self-signed and isn't trusted"],
  KNSOCK_PEER_WRONG_NAME: ['either', "the certificate doesn't contain the name used to connect"],
  KNSOCK_PEER_WRONG_USAGE: ['peer', 'the certificate was issued for another purpose'],
  KNSOCK_PEER_NAME_CONSTRAINT: ['peer', 'name constraints limit its CA to other names'],
  KNSOCK_PEER_PATH_LENGTH: ['peer', 'a CA in the chain allows fewer CAs below it than there are'],
  KNSOCK_PEER_WEAK: ['peer', 'a key or signature in the chain is too weak'],
  KNSOCK_PEER_REVOKED: ['peer', 'its CA has revoked the certificate, perhaps because the key was lost'],
  KNSOCK_PEER_REVOCATION_UNKNOWN: [
    'local',
    'the revocation status of the certificate is unknown, and unknown is refused',
  ],
  KNSOCK_PEER_CRL_STALE: [
    'local',
    'the revocation list is past its nextUpdate, so it may lack recent revocations',
  ],
  KNSOCK_PEER_PIN_MISMATCH: ['either', "none of the pinned keys is in the peer's chain"],
  KNSOCK_PEER_NOT_ALLOWED: ['local', 'the certificate is valid, but no rule admits it'],
  KNSOCK_PEER_MALFORMED: ['peer', "the certificate violates RFC 5280, or can't be parsed"],
  KNSOCK_CLIENT_CERTIFICATE_REFUSED: ['local', 'the server refused our certificate, or the lack of one'],
  KNSOCK_CREDENTIALS_MISSING_FILE: ['local', "the file doesn't exist"],
  KNSOCK_CREDENTIALS_UNREADABLE: ['local', "the file exists but can't be read"],
  KNSOCK_CREDENTIALS_WRONG_USAGE: ['local', 'the certificate was issued for another purpose'],
  KNSOCK_CREDENTIALS_MALFORMED: ['local', 'the file has other content than expected'],
  KNSOCK_CREDENTIALS_INCOMPLETE: [
    'local',
    "a certificate can't be used without its key, nor a key without its certificate",
  ],
  KNSOCK_CREDENTIALS_KEY_MISMATCH: [
    'local',
    "the private key and the first certificate of the file don't belong together",
  ],
  KNSOCK_CREDENTIALS_PASSPHRASE: ['local', "the key is encrypted and couldn't be decrypted"],
  KNSOCK_CREDENTIALS_WEAK: ['local', 'peers would refuse it'],
  KNSOCK_CREDENTIALS_EXPIRED: ['local', 'every peer would refuse it'],
  KNSOCK_CREDENTIALS_NOT_YET_VALID: ['local', 'every peer would refuse it now'],
  KNSOCK_CREDENTIALS_CRL_STALE: [
    'local',
    'with a list past its nextUpdate every certificate that it covers is refused',
  ],
  KNSOCK_CREDENTIALS_UNSUPPORTED: [
    'local',
    'the file needs something unsupported: an algorithm, its cost or its size',
  ],
  KNSOCK_MALFORMED_FRAME: ['peer', 'the bytes violate the framing'],
  KNSOCK_PROXY_HEADER: ['peer', 'the PROXY header required from a proxy is missing or malformed'],
  KNSOCK_MESSAGE_TOO_LARGE: ['either', 'the message is over the limit of the receiving side'],
  KNSOCK_TRUNCATED_MESSAGE: ['peer', 'the peer ended before the end of its message'],
  KNSOCK_FRAMING_MISMATCH: ['either', 'the two sides use different framings'],
  KNSOCK_INVALID_JSON: ['peer', "the message isn't JSON, or doesn't match the schema"],
  KNSOCK_MALFORMED_DER: ['local', "the bytes aren't the expected structure"],
  KNSOCK_REMOTE_HANDLER: ['peer', "the peer's handler failed"],
  KNSOCK_REQUEST_NOT_STARTED: ['peer', 'the peer never started the request'],
  KNSOCK_BLOCKING_SAME_THREAD: [
    'local',
    'the server runs in the thread that the call blocks, so neither could continue',
  ],
  KNSOCK_BLOCKING_WORKER: ['local', "the worker thread of blocking calls couldn't be started, or died"],
  KNSOCK_INVALID_OPTION: ['local', 'an option has an invalid value'],
};
