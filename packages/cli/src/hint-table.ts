// Made from errors/*.yaml by `npm run format`: change it there.

/** What to try next, where the command can name its own flag instead of the library's option. */
export const commandHints: Readonly<Record<string, string>> = {
  KNSOCK_CONNECTION_ENDED_EARLY:
    "Is --framing the server's? If it requires a certificate: --cert client.crt --key client.key. Its log says more.",
  KNSOCK_CONNECT_TIMEOUT:
    'Is a firewall dropping packets, or the server overloaded? --connect-timeout MS allows more time.',
  KNSOCK_PORT_IN_USE: 'Stop the program that uses the port, or choose another --port (0: any free one).',
  KNSOCK_HANDSHAKE_TIMEOUT: 'Does the other side speak TLS at all? --handshake-timeout MS allows more time.',
  KNSOCK_RECEIVE_TIMEOUT:
    'Does the server answer at all, and in this --framing? --timeout MS allows more time, --wait MS exits after this long without a reply.',
  KNSOCK_REQUEST_TIMEOUT: 'The request may have been done; --timeout MS allows more time.',
  KNSOCK_HANDSHAKE_CERTIFICATE_REQUIRED:
    'The server requires a client certificate: add --cert FILE --key FILE.',
  KNSOCK_PEER_UNKNOWN_ISSUER:
    "Add the CA that issued the peer's certificate (--ca ca.crt); if it is already given, the peer omits an intermediate.",
  KNSOCK_PEER_SELF_SIGNED:
    "Add --ca with the CA's certificate; to trust a self-signed certificate, pass it to --ca.",
  KNSOCK_PEER_WRONG_NAME:
    'Connect by a name in the certificate, or set the expected name: --servername NAME.',
  KNSOCK_PEER_REVOCATION_UNKNOWN: "Pass the revocation list of that certificate's CA: --crl FILE.",
  KNSOCK_PEER_CRL_STALE: 'Fetch a current list from the CA and pass it to --crl.',
  KNSOCK_PEER_PIN_MISMATCH:
    "Was the peer's key rotated, or is there an attacker in the middle? --pin can be repeated.",
  KNSOCK_PEER_NOT_ALLOWED: 'The certificate is valid, but no --allow-… flag admits it.',
  KNSOCK_CLIENT_CERTIFICATE_REFUSED:
    'Use a certificate that the server admits, of a CA that it trusts: --cert client.crt --key client.key',
  KNSOCK_CREDENTIALS_MISSING_FILE: 'Is the path correct, relative to the current directory?',
  KNSOCK_CREDENTIALS_INCOMPLETE: '--cert and --key go together; did you forget one?',
  KNSOCK_CREDENTIALS_PASSPHRASE: 'Set the passphrase with KNSOCK_PASSPHRASE or --passphrase-file FILE.',
  KNSOCK_CREDENTIALS_EXPIRED: 'Renew the certificate: knsock certs issue creates one.',
  KNSOCK_CREDENTIALS_CRL_STALE: 'Fetch a current list from the CA: knsock certs crl creates one.',
  KNSOCK_PROXY_HEADER:
    'Is the PROXY protocol enabled in the load balancer, and are only load balancers in --proxy-protocol-from?',
  KNSOCK_MESSAGE_TOO_LARGE: 'Send less at once, or raise --max-message BYTES on the receiving side.',
  KNSOCK_FRAMING_MISMATCH: 'Give both sides the same --framing (raw, lines, length-prefixed or knsock).',
  KNSOCK_INVALID_JSON:
    'With --content json every message must be one JSON value; is its text quoted for the shell?',
  KNSOCK_INVALID_OPTION: 'Add --help to see every option and its values.',
  KNSOCK_CERTIFICATE_VALIDITY:
    'Choose a whole number of --days from 1 to the remaining validity of the CA; certs issue and certs self-signed allow more than 398 by --max-days.',
  KNSOCK_CERTIFICATE_EXISTS: 'Choose another directory or name, or use --force to replace it.',
  KNSOCK_CERTIFICATE_KEY_ABSENT:
    'Its key was never written, or is stored elsewhere; sign with an intermediate (--authority NAME), or by the command that holds the key: --signer-exec COMMAND (certs ca: --issuer-signer-exec).',
  KNSOCK_ACME_DIRECTORY:
    "Is the directory's URL right, can this machine reach it, and does the CA report a failure of its own? For a directory with a private CA: --acme-ca FILE.",
  KNSOCK_ACME_RATE_LIMITED:
    'Wait until the time that the error names; try things with --acme-staging, which has far higher limits.',
  KNSOCK_ACME_ACCOUNT:
    'The message has what the CA wants of the account; the ids of an external account go into --acme-eab-kid and --acme-eab-key-file.',
  KNSOCK_ACME_TERMS: 'Read the terms, and add --acme-agree if you agree.',
  KNSOCK_ACME_PROFILE:
    'Choose one of the profiles that the message lists by --acme-profile, or leave it out.',
  KNSOCK_ACME_LISTEN:
    'Stop what listens there, or choose another port for the server (tls-alpn-01) or another --acme-http-port (http-01).',
};

/** The same for the command lines of kn-sock, whose flags have other names. */
export const knSockHints: Readonly<Record<string, string>> = {
  KNSOCK_CONNECTION_ENDED_EARLY:
    'If the server requires a certificate: --certfile client.crt --keyfile client.key. Its log says more.',
  KNSOCK_CONNECT_TIMEOUT:
    'Is a firewall dropping packets, or the server overloaded? --timeout MS allows more time.',
  KNSOCK_HANDSHAKE_TIMEOUT: 'Does the other side speak TLS at all?',
  KNSOCK_REPLY_TIMEOUT: 'The reply neither ended nor paused; --timeout MS allows more time.',
  KNSOCK_HANDSHAKE_CERTIFICATE_REQUIRED:
    'The server requires a client certificate: add --certfile client.crt --keyfile client.key.',
  KNSOCK_PEER_UNKNOWN_ISSUER:
    "Add --cafile ca.crt, the CA that issued the peer's certificate; if it is already given, the peer omits an intermediate.",
  KNSOCK_PEER_SELF_SIGNED:
    "Add --cafile with the CA's certificate; to trust a self-signed certificate, pass it to --cafile.",
  KNSOCK_PEER_WRONG_NAME: 'Connect by a name in the certificate, or reissue it for this name.',
  KNSOCK_CLIENT_CERTIFICATE_REFUSED:
    'Use a certificate whose CA the server trusts: --certfile client.crt --keyfile client.key.',
  KNSOCK_CREDENTIALS_INCOMPLETE: '--certfile and --keyfile go together; did you forget one?',
};

/** The same for `knsock proxy`, which has neither a port nor a framing to choose. */
export const proxyHints: Readonly<Record<string, string>> = {
  KNSOCK_CONNECTION_ENDED_EARLY:
    'If the server requires a certificate: --cert client.crt --key client.key. Its log says more.',
  KNSOCK_PORT_IN_USE: 'Stop the program that uses the address, or choose another --listen address.',
  KNSOCK_CLIENT_CERTIFICATE_REFUSED:
    'Use a certificate that the server admits, of a CA that it trusts: --cert client.crt --key client.key.',
  KNSOCK_PROXY_HEADER:
    'Is the PROXY protocol enabled in the load balancer, and are only load balancers in --proxy-protocol-from?',
  KNSOCK_FRAMING_MISMATCH: 'Does the peer use another protocol, negotiated by ALPN?',
};

/** The same for `knsock certs`. */
export const certsHints: Readonly<Record<string, string>> = {
  KNSOCK_PEER_UNKNOWN_ISSUER:
    'Pass the CA that issued it to --ca; if it is already given, pass the intermediates between them to --intermediate.',
  KNSOCK_PEER_WRONG_NAME: 'Reissue it for that name, or pass a name in the certificate to --name.',
  KNSOCK_CERTIFICATE_PASSPHRASE:
    "Set it with --passphrase-file FILE or KNSOCK_PASSPHRASE; for an authority's key with --store-passphrase-file FILE or KNSOCK_STORE_PASSPHRASE.",
};
