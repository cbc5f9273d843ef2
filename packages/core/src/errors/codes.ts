// Made from errors/*.yaml by `npm run format`: change it there.

interface CodeFacts {
  /** What to try next, in one sentence. */
  readonly hint: string;
  /** Whether the same call may succeed when simply repeated. */
  readonly retryable: boolean;
}

const final = (hint: string): CodeFacts => ({ hint, retryable: false });
const passing = (hint: string): CodeFacts => ({ hint, retryable: true });

/** Every code that core raises. A code never changes its meaning. */
export const codes = {
  KNSOCK_CONNECTION_FAILED: passing(
    'The cause says what the system reported; is the network between the two up?',
  ),
  KNSOCK_CONNECTION_REFUSED: passing('Is the server running, and is this its host and port?'),
  KNSOCK_CONNECTION_RESET: passing(
    "The peer, or a device on the path, reset the connection; read the peer's log.",
  ),
  KNSOCK_CONNECTION_CLOSED: passing('Connect again to send or receive more.'),
  KNSOCK_CONNECTION_ENDED_EARLY: passing(
    'Do both sides use the same framing, and does the server require a client certificate? Its log says more.',
  ),
  KNSOCK_CONNECT_TIMEOUT: passing(
    'The phase says which step hung; is a firewall dropping packets, or the server overloaded?',
  ),
  KNSOCK_HOST_NOT_FOUND: final('Is the host name spelled right, and does this machine resolve it?'),
  KNSOCK_NETWORK_UNREACHABLE: passing('Is this machine connected to a network that reaches the address?'),
  KNSOCK_PORT_IN_USE: final('Stop the program that uses the port, or choose another port (0: any free one).'),
  KNSOCK_PERMISSION_DENIED: final(
    'Ports below 1024 need a privilege, and a socket path a writable directory; choose another or grant it.',
  ),
  KNSOCK_ADDRESS_NOT_AVAILABLE: final('Is the host address an address of this machine?'),
  KNSOCK_SERVER_DRAINING: passing('The server is shutting down; connect to another or try again shortly.'),
  KNSOCK_LIMIT_REACHED: passing(
    'The server refused the connection at one of its limits; try again shortly, or raise the limit.',
  ),
  KNSOCK_HANDSHAKE_TIMEOUT: passing(
    "The peer didn't finish its handshake in time; is it speaking TLS at all?",
  ),
  KNSOCK_FIRST_MESSAGE_TIMEOUT: passing(
    'The peer connected and sent nothing; send a message or raise firstMessageTimeout.',
  ),
  KNSOCK_IDLE_TIMEOUT: passing(
    'Nothing was sent either way for too long; connect again when there is work, or raise idleTimeout.',
  ),
  KNSOCK_HEARTBEAT_TIMEOUT: passing('The peer or the network path is gone; connect again.'),
  KNSOCK_RECEIVE_TIMEOUT: passing('No message came in time; the connection is still usable.'),
  KNSOCK_REQUEST_TIMEOUT: final(
    'The request may have been done; raise the timeout, or mark it idempotent before retrying.',
  ),
  KNSOCK_SEND_TIMEOUT: final('The peer stopped reading; is it stuck, or is too much sent to it?'),
  KNSOCK_VERDICT_TIMEOUT: final(
    'authorize or the revocation source took too long; an undecided peer is refused.',
  ),
  KNSOCK_DRAIN_TIMEOUT: final(
    "Work in flight didn't finish before the deadline and was aborted; allow more time.",
  ),
  KNSOCK_REPLY_TIMEOUT: final("The reply didn't end in time; set `until` to define where it ends."),
  KNSOCK_QUEUE_FULL: passing(
    'More is sent than the peer has read: await send(), or ready() when write() returns false.',
  ),
  KNSOCK_CONSUMED: final(
    'Receive messages in one way: one onMessage() for the connection, or receive() and for await; set one request handler.',
  ),
  KNSOCK_RELAY_FAILED: passing(
    'The cause says what happened to the stream or connection that was given to relay().',
  ),
  KNSOCK_UNREAD_MESSAGES: final(
    'Receive the messages with onMessage() or receive(), or make the peer send only answers.',
  ),
  KNSOCK_HANDSHAKE_PROTOCOL_VERSION: final(
    'The two sides share no TLS version; 1.2 and 1.3 are on by default, so update the older side.',
  ),
  KNSOCK_HANDSHAKE_CIPHER: final(
    'The two sides share no cipher suite; do both allow AEAD suites with forward secrecy?',
  ),
  KNSOCK_HANDSHAKE_GROUP: final('The two sides share no key-exchange group; do both allow X25519 or P-256?'),
  KNSOCK_HANDSHAKE_SIGNATURE_ALGORITHM: final(
    "The certificate's key can't sign in a way the peer accepts; does the server have a certificate at all?",
  ),
  KNSOCK_HANDSHAKE_ALPN: final('The two sides name no common protocol; do both use the same framing?'),
  KNSOCK_HANDSHAKE_UNKNOWN_NAME: final(
    'The server has no certificate for the name asked for; is servername right?',
  ),
  KNSOCK_HANDSHAKE_CLIENT_HELLO: final(
    "The client's TLS library is broken, or an attacker tries to hide the requested name; no common client sends this.",
  ),
  KNSOCK_HANDSHAKE_NOT_TLS: final(
    "The peer doesn't speak TLS on this port; is it the right port, and is TLS on there?",
  ),
  KNSOCK_HANDSHAKE_PLAIN_HTTP: final(
    'A plain HTTP request came to the TLS port; did the client mean https, or another port?',
  ),
  KNSOCK_HANDSHAKE_RENEGOTIATION: final(
    "Renegotiation is refused; use TLS 1.3, or a client that doesn't renegotiate.",
  ),
  KNSOCK_HANDSHAKE_BAD_RECORD: passing('The encrypted stream was damaged or tampered with on the way.'),
  KNSOCK_HANDSHAKE_CERTIFICATE_REJECTED: final(
    "The peer doesn't trust our certificate; does it have our CA, and does the certificate carry the name it used?",
  ),
  KNSOCK_HANDSHAKE_CERTIFICATE_REQUIRED: final(
    'The server requires a client certificate; did you forget certFile and keyFile?',
  ),
  KNSOCK_HANDSHAKE_DISCONNECTED: passing(
    "A server ends connections like this at its limits (of knsock maxConnections or acceptRate), or without an alert when it refuses a certificate; what does the peer's log say?",
  ),
  KNSOCK_HANDSHAKE_OTHER: final("The cause has OpenSSL's own error."),
  KNSOCK_PEER_NO_CERTIFICATE: final('The peer sent no certificate; did it forget to load one?'),
  KNSOCK_PEER_EXPIRED: final("Renew the peer's certificate, or correct this machine's clock."),
  KNSOCK_PEER_NOT_YET_VALID: final(
    'Is the clock of this machine, or of the one that issued the certificate, wrong?',
  ),
  KNSOCK_PEER_UNKNOWN_ISSUER: final(
    "Did you forget caFile (the CA that issued the peer's certificate), or did the peer omit an intermediate?",
  ),
  KNSOCK_PEER_SELF_SIGNED: final(
    'Put that certificate into caFile to trust it, or have it issued by your CA.',
  ),
  KNSOCK_PEER_WRONG_NAME: final(
    'Connect by a name in the certificate, set servername, or reissue it with the name as subjectAltName.',
  ),
  KNSOCK_PEER_WRONG_USAGE: final(
    'The certificate is for another purpose; issue one of the right kind (server or client).',
  ),
  KNSOCK_PEER_NAME_CONSTRAINT: final('Its CA may not issue for that name; issue under another CA.'),
  KNSOCK_PEER_PATH_LENGTH: final('The chain has more CAs than one of them allows.'),
  KNSOCK_PEER_WEAK: final(
    'Reissue with an RSA key of 2,048 bits or more, or P-256, signed with SHA-256 or better.',
  ),
  KNSOCK_PEER_REVOKED: final('Its CA has revoked that certificate; issue a new one.'),
  KNSOCK_PEER_REVOCATION_UNKNOWN: final(
    'No revocation list covers that certificate; add its CA\'s CRL, or choose unknown: "accept".',
  ),
  KNSOCK_PEER_CRL_STALE: final('Fetch a current CRL from the CA; this one is past its nextUpdate.'),
  KNSOCK_PEER_PIN_MISMATCH: final(
    "None of the pinned keys is in the peer's chain; was the key rotated, or is there an attacker in the middle?",
  ),
  KNSOCK_PEER_NOT_ALLOWED: final('The certificate is valid, but no rule of authorize admits it.'),
  KNSOCK_PEER_MALFORMED: final('The certificate violates RFC 5280; reissue it.'),
  KNSOCK_CLIENT_CERTIFICATE_REFUSED: final(
    'Does the server trust the CA of your certificate, is it valid now, and did you load one at all?',
  ),
  KNSOCK_CREDENTIALS_MISSING_FILE: final(
    'Is the path correct, relative to the working directory of the program?',
  ),
  KNSOCK_CREDENTIALS_UNREADABLE: final(
    'Does the user that runs the program have permission to read the file?',
  ),
  KNSOCK_CREDENTIALS_WRONG_USAGE: final(
    "Issue a server certificate (knsock certs issue); a CA or client certificate can't be used.",
  ),
  KNSOCK_CREDENTIALS_MALFORMED: final(
    'Is it the right file, and complete? knsock certs inspect FILE shows its content.',
  ),
  KNSOCK_CREDENTIALS_INCOMPLETE: final('A certificate and its private key go together; did you forget one?'),
  KNSOCK_CREDENTIALS_KEY_MISMATCH: final(
    'Use the key that belongs to the certificate; the leaf comes first in its file.',
  ),
  KNSOCK_CREDENTIALS_PASSPHRASE: final('Is the passphrase right, and given at all?'),
  KNSOCK_CREDENTIALS_WEAK: final(
    'Make a new key: P-256, or RSA of 2,048 bits or more, signed with SHA-256 or better.',
  ),
  KNSOCK_CREDENTIALS_EXPIRED: final('Renew the certificate.'),
  KNSOCK_CREDENTIALS_NOT_YET_VALID: final("Is this machine's clock correct?"),
  KNSOCK_CREDENTIALS_CRL_STALE: final('Fetch a current CRL from the CA.'),
  KNSOCK_CREDENTIALS_UNSUPPORTED: final(
    'Export the file again from the program that made it, with AES-256; knsock certs convert FILE --to pem reads most old ones.',
  ),
  KNSOCK_MALFORMED_FRAME: final('Does the peer speak the same framing and version?'),
  KNSOCK_PROXY_HEADER: final(
    'Is the PROXY protocol enabled in the proxy, and are only proxies listed in proxyProtocol.from?',
  ),
  KNSOCK_MESSAGE_TOO_LARGE: final('Send less at once, or raise maxMessageBytes on the receiving side.'),
  KNSOCK_TRUNCATED_MESSAGE: passing(
    'The peer ended in the middle of a message; it crashed or the network failed.',
  ),
  KNSOCK_FRAMING_MISMATCH: final('Give both sides the same framing.'),
  KNSOCK_INVALID_JSON: final('Does the peer send JSON that matches the schema?'),
  KNSOCK_MALFORMED_DER: final(
    'Is it the right file, and complete? knsock certs inspect FILE shows its content.',
  ),
  KNSOCK_REMOTE_HANDLER: final("The peer's handler failed; its log says why."),
  KNSOCK_REQUEST_NOT_STARTED: passing('The peer never started the request, so it is safe to retry.'),
  KNSOCK_BLOCKING_SAME_THREAD: final(
    'Use await sendSslTcpMessage(…) here, or run the server in another process or worker thread.',
  ),
  KNSOCK_BLOCKING_WORKER: final(
    'In a bundle, build the entry @knsock/core/sync-worker as sync-worker.js beside it, or use await sendSslTcpMessage(…).',
  ),
  KNSOCK_INVALID_OPTION: final('@knsock/core/docs/defaults.md lists every option.'),
} as const satisfies Record<string, CodeFacts>;

/** A stable name of a failure. */
export type ErrorCode = keyof typeof codes;
