/**
 * Asks an endpoint what it accepts, by handshakes that offer one thing at a time. Nothing here is secret and nothing
 * is trusted: the settings are as weak as the question needs.
 */
import { constants } from 'node:crypto';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, createSecureContext, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { UsageError } from '../usage-error.js';
import type { EndpointEvidence, TlsVersion } from './endpoint-evidence.js';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly servername: string | undefined;
  /** The longest that one question may take, in milliseconds. */
  readonly timeout: number;
}

type Settings = Pick<
  ConnectionOptions,
  'minVersion' | 'maxVersion' | 'ciphers' | 'sigalgs' | 'ecdhCurve' | 'session' | 'secureOptions'
>;

/** What a handshake led to. */
interface Shake {
  readonly version: string | null;
  readonly suite: string;
  readonly chain: readonly Buffer[];
}

const VERSIONS: readonly TlsVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
/** OpenSSL forbids what is weak even to ask for, below this level. */
const ANYTHING = 'ALL:COMPLEMENTOFALL:@SECLEVEL=0';
const OLD = { minVersion: 'TLSv1', maxVersion: 'TLSv1.2' } as const;
const ONLY_12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;

/** @throws UsageError where no handshake succeeds at all */
export async function probeEndpoint(
  endpoint: Endpoint,
): Promise<{ chain: readonly Buffer[]; evidence: Omit<EndpointEvidence, 'verdict'> }> {
  const versions: TlsVersion[] = [];
  let chain: readonly Buffer[] = [];
  for (const version of VERSIONS) {
    const shake = await attempt(endpoint, { minVersion: version, maxVersion: version, ciphers: ANYTHING });
    if (shake !== null) {
      versions.push(version);
      chain = shake.chain;
    }
  }
  if (versions.length === 0) throw unreachable(endpoint);
  const suites = await suitesOf(endpoint);
  const anonymous = await admitsAnonymous(endpoint);
  const evidence = {
    versions,
    suites,
    serverPreference: await preference(endpoint, suites),
    hybridGroup: await hybridGroup(endpoint, versions),
    sha1Signatures: await signsWithSha1(endpoint),
    renegotiation: versions.includes('TLSv1.2') && (await renegotiates(endpoint)),
    // Who isn’t let in gets no say in resumption.
    resumption: anonymous ? await resumes(endpoint) : undefined,
    admitsAnonymous: anonymous,
    plainText: await plainText(endpoint),
  };
  return { chain, evidence };
}

/** Each suite that it takes is left out of the next offer, until it takes none: so they come in its order. */
async function suitesOf(endpoint: Endpoint): Promise<string[]> {
  const suites: string[] = [];
  for (;;) {
    const without = suites.map((suite) => `:!${suite}`).join('');
    const shake = await attempt(endpoint, { ...OLD, ciphers: ANYTHING.replace(':@', `${without}:@`) });
    if (shake === null || suites.includes(shake.suite)) return suites;
    suites.push(shake.suite);
  }
}

async function preference(endpoint: Endpoint, suites: readonly string[]): Promise<boolean | undefined> {
  if (suites.length < 2) return undefined;
  const chosen = async (order: readonly string[]): Promise<string | undefined> =>
    (await attempt(endpoint, { ...OLD, ciphers: `${order.join(':')}:@SECLEVEL=0` }))?.suite;
  return (await chosen(suites)) === (await chosen([...suites].reverse()));
}

async function hybridGroup(
  endpoint: Endpoint,
  versions: readonly TlsVersion[],
): Promise<boolean | undefined> {
  const ecdhCurve = 'X25519MLKEM768';
  try {
    createSecureContext({ ecdhCurve });
  } catch {
    return undefined;
  }
  return (
    versions.includes('TLSv1.3') && (await attempt(endpoint, { minVersion: 'TLSv1.3', ecdhCurve })) !== null
  );
}

async function signsWithSha1(endpoint: Endpoint): Promise<boolean> {
  const settings = { ...ONLY_12, ciphers: ANYTHING, sigalgs: 'RSA+SHA1:ECDSA+SHA1' };
  return (await attempt(endpoint, settings)) !== null;
}

function renegotiates(endpoint: Endpoint): Promise<boolean> {
  return withSocket(endpoint, { ...ONLY_12, ciphers: ANYTHING }, false, (socket, settle) => {
    socket.renegotiate({ rejectUnauthorized: false }, (error) => {
      settle(error === null);
    });
  });
}

async function resumes(endpoint: Endpoint): Promise<boolean> {
  const session = await withSocket<Buffer | null>(endpoint, {}, null, (socket, settle) => {
    socket.once('session', settle);
    // Under TLS 1.3 tickets come after the handshake, and often with the first bytes only.
    socket.once('end', () => {
      settle(null);
    });
    socket.write('\n');
  });
  if (session === null) return false;
  return withSocket(endpoint, { session }, false, (socket, settle) => {
    settle(socket.isSessionReused());
  });
}

/** A refusal comes after the handshake: whoever is still connected a moment later was let in. */
function admitsAnonymous(endpoint: Endpoint): Promise<boolean> {
  return withSocket(endpoint, {}, false, (socket, settle) => {
    const refused = (): void => {
      settle(false);
    };
    socket.once('end', refused).once('error', refused).resume();
    setTimeout(settle, MOMENT, true).unref();
  });
}
const MOMENT = 500;

/** What it does with a plain HTTP request. */
function plainText({ host, port, timeout }: Endpoint): Promise<EndpointEvidence['plainText']> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port });
    const settle = (what: EndpointEvidence['plainText']): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(what);
    };
    const timer = setTimeout(settle, timeout, 'hangs');
    // An alert is a TLS record (type 21), which is the right answer.
    socket.on('data', (bytes: Buffer) => {
      if (bytes[0] !== 0x15) settle('answers');
    });
    socket
      .on('error', () => undefined)
      .on('close', () => {
        settle('closes');
      });
    socket.on('end', () => {
      settle('closes');
    });
    socket.write('GET / HTTP/1.0\r\n\r\n');
  });
}

/** A handshake, or null where it fails. */
function attempt(endpoint: Endpoint, settings: Settings): Promise<Shake | null> {
  return withSocket<Shake | null>(endpoint, settings, null, (socket, settle) => {
    settle({ version: socket.getProtocol(), suite: socket.getCipher().name, chain: chainOf(socket) });
  });
}

/** Runs `ask` on a secured socket; resolves with `failed` where it doesn't come to that, or takes too long. */
function withSocket<Result>(
  { host, port, servername, timeout }: Endpoint,
  settings: Settings,
  failed: Result,
  ask: (socket: TLSSocket, settle: (result: Result) => void) => void,
): Promise<Result> {
  return new Promise((resolve) => {
    let socket: TLSSocket | undefined;
    const settle = (result: Result): void => {
      clearTimeout(timer);
      socket?.destroy();
      resolve(result);
    };
    const timer = setTimeout(settle, timeout, failed);
    const name = servername ?? (isIP(host) === 0 ? host : undefined);
    try {
      const secureOptions = constants.SSL_OP_LEGACY_SERVER_CONNECT;
      const loose = {
        rejectUnauthorized: false,
        secureOptions,
        ...(name !== undefined && { servername: name }),
      };
      socket = connectTls({ host, port, ...loose, ...settings });
    } catch {
      // This OpenSSL can't even ask.
      settle(failed);
      return;
    }
    const secured = socket;
    secured.on('error', () => {
      settle(failed);
    });
    secured.once('close', () => {
      settle(failed);
    });
    secured.once('secureConnect', () => {
      ask(secured, settle);
    });
  });
}

function chainOf(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  let certificate = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && !chain.some((der) => der.equals(certificate.raw))) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}

function unreachable({ host, port }: Endpoint): UsageError {
  const hint = 'Is it running there, and does it speak TLS on that port?';
  return new UsageError(`no TLS handshake with ${host}:${port} succeeded`, hint, 'KNSOCK_HANDSHAKE_OTHER');
}
