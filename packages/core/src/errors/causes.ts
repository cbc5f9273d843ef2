// Made from errors/*.yaml by `npm run format`: change it there.

import type { ErrorCode } from './codes.js';

/** `'local'`: this program or machine; `'peer'`: the other; `'either'`: one of them, which can't be told from here. */
export type Side = 'local' | 'peer' | 'either';

/** Why each failure happens, in words for people, and which side most likely has to change something. */
export const causes: Readonly<Record<ErrorCode, readonly [side: Side, why: string]>> = {
  KNSOCK_CONNECTION_FAILED: ['either', 'the system reported a failure that has no name of its own here'],
  KNSOCK_CONNECTION_REFUSED: [
    'peer',
    'nothing listens at that address, or something in between rejects connections to it',
  ],
  KNSOCK_CONNECTION_RESET: [
    'peer',
    'the peer crashed, was killed, or something between forgot the connection',
  ],
  KNSOCK_CONNECTION_CLOSED: ['peer', 'the connection had ended before this was asked of it'],
  KNSOCK_CONNECTION_ENDED_EARLY: [
    'either',
    'a server that refuses a certificate, doesn’t understand the framing or fails has no way to say so here',
  ],
  KNSOCK_CONNECT_TIMEOUT: ['peer', 'one step of connecting got no answer in its time'],
  KNSOCK_HOST_NOT_FOUND: ['local', 'the resolver of this machine knows no address for the name'],
  KNSOCK_NETWORK_UNREACHABLE: ['local', 'this machine has no route to the address'],
  KNSOCK_PORT_IN_USE: ['local', 'another program, or an earlier run of this one, listens there'],
  KNSOCK_PERMISSION_DENIED: ['local', 'the system doesn’t let this user do that'],
  KNSOCK_ADDRESS_NOT_AVAILABLE: ['local', 'the address to listen on belongs to no interface of this machine'],
  KNSOCK_SERVER_DRAINING: ['peer', 'the server is on its way out and takes no new work'],
  KNSOCK_LIMIT_REACHED: [
    'peer',
    'the server holds as many connections, or takes them as fast, as it was told to',
  ],
  KNSOCK_HANDSHAKE_TIMEOUT: [
    'peer',
    'the peer opened a socket and didn’t go through with TLS: a scanner, a health check, a stuck or plain-text client',
  ],
  KNSOCK_FIRST_MESSAGE_TIMEOUT: ['peer', 'the peer was let in and then said nothing'],
  KNSOCK_IDLE_TIMEOUT: ['either', 'neither side had anything to say for as long as idleTimeout allows'],
  KNSOCK_HEARTBEAT_TIMEOUT: ['peer', 'the peer stopped answering: it hangs, or the network between is gone'],
  KNSOCK_RECEIVE_TIMEOUT: ['peer', 'the peer sent no message in the time given'],
  KNSOCK_REQUEST_TIMEOUT: ['peer', 'the peer’s handler took longer than the request allowed'],
  KNSOCK_SEND_TIMEOUT: ['peer', 'the peer takes in less than is sent to it'],
  KNSOCK_VERDICT_TIMEOUT: [
    'local',
    'whether the peer may come in was still undecided when its time was over, and what isn’t known refuses',
  ],
  KNSOCK_DRAIN_TIMEOUT: ['either', 'work in flight went on longer than the end was allowed to take'],
  KNSOCK_REPLY_TIMEOUT: ['peer', 'the peer neither ended its reply nor fell silent'],
  KNSOCK_QUEUE_FULL: ['either', 'more was written than the peer reads'],
  KNSOCK_CONSUMED: ['local', 'the messages or requests of the connection have a consumer already'],
  KNSOCK_UNREAD_MESSAGES: ['local', 'messages that nobody takes hold up answers'],
  KNSOCK_HANDSHAKE_PROTOCOL_VERSION: ['either', 'one side allows only TLS versions that the other doesn’t'],
  KNSOCK_HANDSHAKE_CIPHER: [
    'either',
    'no cipher suite, group or signature algorithm is on both sides’ lists, or a server has no certificate for those on them',
  ],
  KNSOCK_HANDSHAKE_GROUP: ['either', 'no key-exchange group is on both sides’ lists'],
  KNSOCK_HANDSHAKE_SIGNATURE_ALGORITHM: [
    'either',
    'the key of the certificate can’t sign by any algorithm that the peer accepts',
  ],
  KNSOCK_HANDSHAKE_ALPN: ['either', 'the two sides offer different application protocols'],
  KNSOCK_HANDSHAKE_UNKNOWN_NAME: [
    'either',
    'the client asked by SNI for a name that the server doesn’t have',
  ],
  KNSOCK_HANDSHAKE_CLIENT_HELLO: [
    'peer',
    'its first TLS message is malformed, or could be read as asking for two different names',
  ],
  KNSOCK_HANDSHAKE_NOT_TLS: [
    'peer',
    'what came isn’t TLS: another protocol, or a header such as PROXY’s in front of it',
  ],
  KNSOCK_HANDSHAKE_PLAIN_HTTP: [
    'peer',
    'a web browser, a health check or a proxy spoke HTTP to the TLS port',
  ],
  KNSOCK_HANDSHAKE_RENEGOTIATION: ['peer', 'renegotiation has been the way into many attacks, so it is off'],
  KNSOCK_HANDSHAKE_BAD_RECORD: ['either', 'a record failed its authentication'],
  KNSOCK_HANDSHAKE_CERTIFICATE_REJECTED: [
    'local',
    'the peer judged our certificate and broke the handshake off',
  ],
  KNSOCK_HANDSHAKE_CERTIFICATE_REQUIRED: [
    'either',
    'certificates of clients are required, and the client showed none',
  ],
  KNSOCK_HANDSHAKE_DISCONNECTED: [
    'peer',
    'the peer went away in the middle: often it didn’t like a certificate and has no way to say so',
  ],
  KNSOCK_HANDSHAKE_OTHER: ['either', 'OpenSSL gave up for a reason of its own'],
  KNSOCK_PEER_MISSING: ['peer', 'a certificate is required here, and none was shown'],
  KNSOCK_PEER_EXPIRED: ['peer', 'a certificate of the peer’s chain is past its end by this machine’s clock'],
  KNSOCK_PEER_NOT_YET_VALID: [
    'either',
    'a certificate of the peer’s chain begins in the future by this machine’s clock',
  ],
  KNSOCK_PEER_UNKNOWN_ISSUER: [
    'either',
    'no chain leads from the peer’s certificate to a CA that is trusted here',
  ],
  KNSOCK_PEER_SELF_SIGNED: [
    'local',
    'the peer’s certificate vouches for itself, and isn’t among the trusted ones',
  ],
  KNSOCK_PEER_WRONG_NAME: ['either', 'the certificate is for other names than the one it was reached by'],
  KNSOCK_PEER_WRONG_USAGE: ['peer', 'the certificate was issued for another purpose'],
  KNSOCK_PEER_NAME_CONSTRAINT: ['peer', 'its CA is confined to other names'],
  KNSOCK_PEER_PATH_LENGTH: ['peer', 'a CA in the chain allows fewer CAs below it than there are'],
  KNSOCK_PEER_WEAK: ['peer', 'a key or signature in the chain can be forged with effort'],
  KNSOCK_PEER_REVOKED: ['peer', 'its CA has withdrawn the certificate, perhaps because the key was lost'],
  KNSOCK_PEER_REVOCATION_UNKNOWN: [
    'local',
    'nobody could say whether the certificate is revoked, and what isn’t known refuses',
  ],
  KNSOCK_PEER_CRL_STALE: [
    'local',
    'the revocation list here is past its next update, so it may lack the newest revocations',
  ],
  KNSOCK_PEER_PIN_MISMATCH: ['either', 'the peer’s key is another than the ones pinned here'],
  KNSOCK_PEER_NOT_ALLOWED: ['local', 'the certificate is good, and a rule here decides who may come in'],
  KNSOCK_PEER_MALFORMED: ['peer', 'the certificate breaks the standard, or can’t be read at all'],
  KNSOCK_CLIENT_CERTIFICATE_REFUSED: [
    'local',
    'the server judged our certificate, or the lack of one, and refused',
  ],
  KNSOCK_CREDENTIALS_MISSING_FILE: ['local', 'the path leads nowhere'],
  KNSOCK_CREDENTIALS_UNREADABLE: ['local', 'the file is there and can’t be read'],
  KNSOCK_CREDENTIALS_WRONG_USAGE: ['local', 'the certificate was issued for another purpose'],
  KNSOCK_CREDENTIALS_GARBAGE: ['local', 'the file doesn’t hold what it should'],
  KNSOCK_CREDENTIALS_HALF_A_PAIR: [
    'local',
    'a certificate is of no use without its key, nor a key without its certificate',
  ],
  KNSOCK_CREDENTIALS_MISMATCH: [
    'local',
    'the private key and the first certificate of the file don’t belong together',
  ],
  KNSOCK_CREDENTIALS_PASSPHRASE: ['local', 'the key is encrypted and didn’t open'],
  KNSOCK_CREDENTIALS_WEAK: ['local', 'peers would refuse it, and rightly'],
  KNSOCK_CREDENTIALS_EXPIRED: ['local', 'every peer would refuse it'],
  KNSOCK_CREDENTIALS_NOT_YET_VALID: ['local', 'every peer would refuse it for now'],
  KNSOCK_CREDENTIALS_CRL_STALE: ['local', 'a list past its next update refuses everybody whom it covers'],
  KNSOCK_CREDENTIALS_UNSUPPORTED: [
    'local',
    'the file needs what isn’t offered here: an algorithm, its cost or its size',
  ],
  KNSOCK_MALFORMED_FRAME: ['peer', 'the bytes break the rules of the framing'],
  KNSOCK_PROXY_HEADER: ['peer', 'a proxy that must tell its client by the PROXY protocol didn’t'],
  KNSOCK_MESSAGE_TOO_LARGE: ['either', 'the message is over the limit of the side that takes it'],
  KNSOCK_TRUNCATED_MESSAGE: ['peer', 'the peer ended before its message did'],
  KNSOCK_FRAMING_MISMATCH: ['either', 'the two sides don’t speak the same framing'],
  KNSOCK_INVALID_JSON: ['peer', 'the message isn’t JSON, or not of the shape agreed on'],
  KNSOCK_MALFORMED_DER: ['local', 'the bytes aren’t the structure that they should be'],
  KNSOCK_REMOTE_HANDLER: ['peer', 'the peer’s handler answered with a failure'],
  KNSOCK_REQUEST_NOT_STARTED: ['peer', 'the peer never began to work on it'],
  KNSOCK_BLOCKING_SAME_THREAD: [
    'local',
    'the server runs in the thread that the call blocks, so neither could ever go on',
  ],
  KNSOCK_BLOCKING_WORKER: [
    'local',
    'blocking calls are done by a worker thread, and it couldn’t be started or has died',
  ],
  KNSOCK_INVALID_OPTION: ['local', 'an option has a value that can’t be meant'],
};
