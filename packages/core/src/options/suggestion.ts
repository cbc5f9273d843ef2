/** Suggestions for an option that doesn't exist. */

/** A few mistyped characters; more would be guessing. */
const MOST_EDITS = 3;

/** Names that other libraries and tools have for options of ours: `node:tls`, openssl, mkcert, HikariCP, generic-pool. */
export const foreign: Readonly<Record<string, readonly string[]>> = {
  cert: ['credentials'],
  key: ['credentials'],
  ca: ['credentials'],
  pfx: ['credentials'],
  crl: ['credentials'],
  passphrase: ['credentials'],
  certFile: ['credentials', 'certfile'],
  keyFile: ['credentials', 'keyfile'],
  caFile: ['credentials', 'cafile'],
  pfxFile: ['credentials'],
  crlFile: ['credentials'],
  certfile: ['credentials'],
  keyfile: ['credentials'],
  cafile: ['credentials'],
  secureContext: ['credentials'],
  rejectUnauthorized: ['dangerouslySkipVerification', 'clientCertificates', 'verify'],
  insecure: ['dangerouslySkipVerification', 'verify'],
  verify: ['dangerouslySkipVerification'],
  requestCert: ['clientCertificates', 'requireClientCert'],
  checkServerIdentity: ['expectedName'],
  servername: ['sni', 'expectedName'],
  serverName: ['servername', 'sni'],
  SNICallback: ['sni'],
  ALPNProtocols: ['framing'],
  ALPNCallback: ['framing'],
  minVersion: ['profile'],
  maxVersion: ['profile'],
  ciphers: ['profile', 'ciphers'],
  ecdhCurve: ['profile', 'groups'],
  sigalgs: ['profile', 'signatureAlgorithms'],
  ticketKeys: ['ticketSecret'],
  session: ['resume'],
  hostname: ['host'],
  address: ['host'],
  keepAlive: ['heartbeat'],
  keepAliveInitialDelay: ['heartbeat'],
  maxSockets: ['max'],
  maxFreeSockets: ['max'],
  timeout: ['connectTimeout', 'handshakeTimeout', 'acquireTimeout', 'deadline'],
  deadline: ['timeout'],
  maxPayload: ['maxMessageBytes'],
  // Certificates
  dns: ['names'],
  dnsNames: ['names'],
  domains: ['names'],
  hosts: ['names'],
  ip: ['names'],
  san: ['names'],
  sans: ['names'],
  altNames: ['names'],
  subjectAltName: ['names'],
  subjectAltNames: ['names'],
  cn: ['commonName'],
  subject: ['commonName'],
  type: ['kind'],
  usage: ['kind'],
  extendedKeyUsage: ['kind'],
  validity: ['days'],
  validityDays: ['days'],
  expiresIn: ['days'],
  notAfter: ['days'],
  algorithm: ['keyType'],
  keyAlgorithm: ['keyType'],
  keySize: ['keyType'],
  bits: ['keyType'],
  password: ['passphrase'],
  // Pools
  size: ['max'],
  limit: ['max'],
  connectionLimit: ['max'],
  maximumPoolSize: ['max'],
  maxSize: ['max'],
  poolSize: ['max'],
  minimumIdle: ['min'],
  minIdle: ['min'],
  minSize: ['min'],
  connectionTimeout: ['acquireTimeout'],
  acquireTimeoutMillis: ['acquireTimeout'],
  idleTimeoutMillis: ['idleTimeout'],
  softIdleTimeoutMillis: ['idleTimeout'],
  maxWaitingClients: ['maxWaiters'],
  leakDetectionThreshold: ['leakThreshold'],
  testOnBorrow: ['reusable'],
  validate: ['reusable'],
  factory: ['create'],
};

const credentialsHint =
  'credentials takes it: createCredentials({ cert, key, ca }), or await loadCredentials({ certFile, keyFile, caFile })';

/** How to go on, as the end of the sentence; empty where nothing is near. */
export function suggestionFor(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  if (near !== undefined) return `; did you mean ${near}?`;
  const targets = Object.hasOwn(foreign, name) ? (foreign[name] ?? []) : [];
  const target = targets.find((candidate) => known.includes(candidate));
  if (target === undefined) return '';
  return target === 'credentials' ? `; ${credentialsHint}` : `; did you mean ${target}?`;
}

/** The name that takes the fewest edits, where few enough do. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = plain(name);
  let best: string | undefined;
  let least = Math.min(MOST_EDITS, Math.floor(wanted.length / 4)) + 1;
  for (const candidate of known) {
    const distance = edits(wanted, plain(candidate), least);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** kn-sock's names have underscores. */
function plain(name: string): string {
  return name.replaceAll(/[_-]/g, '').toLowerCase();
}

/**
 * How many characters to insert, delete, replace or swap with their neighbour (the optimal string alignment distance);
 * `enough` where it is no less.
 */
function edits(from: string, to: string, enough: number): number {
  if (Math.abs(from.length - to.length) >= enough) return enough;
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1] ? 0 : 1;
      let cost = Math.min(
        (above[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (above[column - 1] as number) + same,
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped && row > 1 && column > 1) cost = Math.min(cost, (before[column - 2] as number) + 1);
      current.push(cost);
    }
    [before, above] = [above, current];
  }
  return Math.min(above[to.length] as number, enough);
}
