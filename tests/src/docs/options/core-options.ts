// Why the options of core have the defaults that they have: tables of docs/defaults.md.
import { ownConnectOptions } from '../../../../packages/core/src/client/config.js';
import { limitOptions } from '../../../../packages/core/src/policy/limits.js';
import { profileOptions } from '../../../../packages/core/src/policy/tls-profile.js';
import { admissionOptions, networkQuotaOptions } from '../../../../packages/core/src/server/admission.js';
import { ownListenOptions } from '../../../../packages/core/src/server/config.js';
import { trustOptions } from '../../../../packages/core/src/trust/trust-policy.js';
import { note, optionTable, rowsOf, type OptionRow } from './option-rows.js';

const { framing, onError, signal, tls, profile: _fields, ...listenOptions } = ownListenOptions;
const {
  framing: _framing,
  onError: _onError,
  signal: _signal,
  tls: _tls,
  profile: _profile,
  ...connectOptions
} = ownConnectOptions;

const field = (group: string) => (name: string) => `\`${group}.${name}\``;

const bothSides: OptionRow[] = [
  ...rowsOf(
    { framing },
    {
      framing: [
        '`knsock()`',
        'typed refusals, multiplexed requests and a provable end; it is demanded by ALPN, so anything else is noticed at once',
      ],
    },
  ),
  ...rowsOf(
    profileOptions,
    {
      minVersion: "older versions are broken; 1.2 with the suites below isn't",
      maxVersion: 'the newest version that the runtimes have',
      ciphers: [
        'the three suites of TLS 1.3, and for 1.2 ECDHE with AES-GCM or ChaCha20-Poly1305',
        "authenticated encryption and forward secrecy only; Node's own default still accepts CBC and static RSA",
      ],
      groups: [
        'X25519MLKEM768 where the runtime has it (Node 22 and later), X25519, P-256, P-384, P-521',
        'safe against recorded traffic and future quantum computers where possible; the P curves stay, or TLS 1.2 peers with such certificates fail',
      ],
      signatureAlgorithms: [
        'ECDSA, EdDSA, RSA-PSS and RSA, with SHA-256 or better; ML-DSA where the runtime has it (Node 22 and later)',
        'SHA-1 signatures can be forged',
      ],
    },
    field('profile'),
  ),
  note(
    'renegotiation, compression',
    'never',
    'renegotiation is an attack surface without a use; compression leaks secrets',
  ),
  ...rowsOf(limitOptions, {
    handshakeTimeout:
      "a server's one deadline from accept to authorized (a client's is `connectTimeout`); a handshake takes milliseconds, and a silent socket must not linger",
    requestTimeout: "longer than any healthy answer, shorter than a person's patience",
    sendTimeout:
      "a peer that reads nothing for this long won't recover; until then back-pressure holds the sender",
    drainTimeout: 'below the 30 s that supervisors commonly wait between SIGTERM and SIGKILL',
    idleTimeout: [
      'off',
      "an idle connection is cheap, and closing it would surprise; set it where peers vanish or proxies cut. A connection with a request in flight, either way, isn't idle; see [connections](connections.md#when-a-connection-is-idle)",
    ],
    firstMessageTimeout: [
      'off',
      'a server may be the one who speaks first; a whole message must come in time, so that a byte a minute buys nothing',
    ],
    heartbeat: [
      'off',
      '`{ interval, timeout }`: it wakes sleeping machines; set it where half-open peers matter; on the knsock framing only',
    ],
    maxMessageBytes: 'checked before anything is allocated; larger bodies are better sent in pieces',
    maxQueuedBytes:
      "the most that a slow reader, or a program that doesn't read, can make us hold; messages, requests and answers count together. A call of `send` or `request` that finds no room waits for it, `write` and `post` drop the message. On `knsock()` as much again (at least 1 MiB) is read behind unread messages, for the control frames among them; other framings stop at 64 KiB",
    maxRequestsInFlight:
      "enough to fill a link, few enough that one peer can't take the whole process; an asynchronous `onMessage` listener is given no more at once either",
    maxWaitingRequests:
      "requests wait, each within its own timeout, while as many as the peer takes are in flight, or while the peer doesn't read; callers hold the payloads in any case. More than this is an outage: failing them at once is better than running out of memory",
  }),
  note(
    "time for the peer's own end",
    '5,000, and `drainTimeout` at most',
    'once we have ended, and nothing is in flight',
  ),
  note(
    "unread messages after the peer's end",
    '1,000',
    "a program that receives none for this long, with its handler returned, doesn't want them",
  ),
  ...rowsOf(
    { onError },
    {
      onError: [
        'a process warning, at most one a kind and minute',
        'a failure that [reaches no caller](errors.md#errors-that-reach-no-caller) is neither silent nor the end of the process',
      ],
    },
  ),
  ...rowsOf(trustOptions, {
    authorize: [
      'every peer with a valid certificate',
      'the CA decides, unless you restrict it; an empty rule refuses every peer',
    ],
    pins: ['none', "a pinned key can't be replaced in a hurry"],
    revocation: [
      "what `crlFile` says: the peer's own certificate is looked up; unknown and stale refuse",
      'a list was given so that it is obeyed',
    ],
    partialChain: "an intermediate in `ca` isn't a root unless you say so",
  }),
  note(
    "a peer's chain (not an option)",
    '16 certificates; RSA keys up to 8,192 bits; 16 operations of signature checks, 6 where OpenSSL refuses the chain already; 50,000 comparisons of names with constraints',
    'no CA in use has larger keys, and a path has two or three signatures; an operation is one check by RSA-8192 or any elliptic curve (up to 0.5 ms), longer exponents count more, so that the chain of an unauthenticated client costs 3 ms at most. Your own CAs may have keys up to 16,384 bits. OpenSSL checks a chain before knsock sees it: see [below](#what-a-client-certificate-costs-openssl)',
  ),
  ...rowsOf(
    { signal, tls },
    {
      signal: ['none', 'closes the server, or ends the attempt to connect, when it fires'],
      tls: ['none', 'further options of `node:tls`, except those that would disable a check'],
    },
  ),
];

const listen: OptionRow[] = [
  ...rowsOf(listenOptions, {
    port: ['none: it must be given (0 takes any free one)', 'a port chosen for you is a surprise'],
    host: 'every address of the machine, IPv4 included',
    path: ['none', 'a Unix socket, instead of `port` and `host`'],
    credentials: [
      'none: they must be given',
      'a certificate and its key, and the CA of clients where these must show certificates',
    ],
    clientCertificates: 'requiring them needs a CA, which only you can name',
    sni: ['none', 'virtual hosts: credentials, client CA and rules by name'],
    unknownName:
      "clients that ask for a name we don't have still learn who we are; `'refuse'` sends an `unrecognized_name` alert",
    proxyProtocol: ['off', "`{ from }`: only your own proxies may set the client's address"],
    beforeTls: ['none', "only protocols that negotiate TLS themselves, such as PostgreSQL's, need it"],
    ticketSecret: [
      'random, for this process',
      "sessions resume on the server that made them; machines that share one resume each other's sessions where their certificates have the same subject, issuer and names and their CAs, lists and rules are the same; they must replace it regularly, and have the clients' intermediate CAs in `ca`: a resumed connection shows the client's own certificate alone",
    ],
    maxLifetime: [
      'off',
      'with it, clients spread anew over servers; a tenth of jitter keeps them from coming back together',
    ],
  }),
  ...rowsOf(admissionOptions, {
    maxConnections:
      'about 0.6 GB of idle TLS connections; at the limit a silent socket is closed for a new one',
    maxPendingHandshakes:
      "beyond it the socket silent for longest makes room, then handshakes whose client has said nothing more for a second, so silent ones can't lock others out",
    maxConnectionsPerAddress: ['off', 'behind a NAT or a load balancer many clients share an address'],
    maxConnectionsPerNetwork: ['off', 'the same for whole networks'],
    acceptRate: ['off', '`{ perSecond, burst }`, or a number a second: only you know what is normal'],
    allow: ['every address', 'certificates decide'],
    deny: ['no address', 'certificates decide'],
  }),
  ...rowsOf(
    networkQuotaOptions,
    {
      limit: ['none: it must be given', 'how many connections one network may have'],
      ipv4Prefix: 'the smallest network that is routed on the internet',
      ipv6Prefix: 'what a site is usually given',
    },
    field('maxConnectionsPerNetwork'),
  ),
];

const connect: OptionRow[] = rowsOf(connectOptions, {
  host: "with `port`; a name's addresses are tried as RFC 8305 says, the next after 250 ms",
  port: ['none: it must be given with `host`', 'a port chosen for you is a surprise'],
  path: ['none', 'a Unix socket, instead of `host` and `port`'],
  socket: ['none', 'a stream that is connected already, instead of `host` and `port`'],
  credentials: ["none: no certificate is shown, Node's default store is trusted", 'as every TLS client does'],
  connectTimeout: 'all of it: name, TCP, TLS and welcome; the error names the phase',
  servername: ['the host', 'the name that is sent by SNI; empty: none'],
  expectedName: [
    '`servername`, then the host',
    'the name that was meant is the name that must be proved; `{ dangerouslyAnyName: true }` for any',
  ],
  resume:
    "half the cost of a connection; the peer is verified again nevertheless. Up to 64 sessions for a target, 4,096 in all, are kept in memory. Each is used once, so that an observer can't recognize two connections of the same client, except the last where more connections are opened at once than there are sessions",
  proxyHeader: ['none', 'only a proxy speaks for others, and only to a server that trusts it'],
  dangerouslySkipVerification: 'off only by the word that says it is dangerous',
  pinsOnly: 'without a chain there are no dates and no revocation',
  onRequest: ['none: requests of the server are rejected', 'most clients only send requests'],
});

/** The generated parts of docs/defaults.md that are core's. */
export const coreTables: Readonly<Record<string, string>> = {
  'both-sides': optionTable(bothSides),
  listen: optionTable(listen),
  connect: optionTable(connect),
};
