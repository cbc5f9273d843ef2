/** What a peer showed in its handshake, as Node lets us see it. */
import type { DetailedPeerCertificate, Server, TLSSocket } from 'node:tls';
import type { Path } from './path-cache.js';

export interface Presented {
  /** The certificates as sent, the peer's own first; empty where it sent none, or its path is remembered. DER. */
  readonly ders: readonly Buffer[];
  readonly resumed: boolean;
  /** What OpenSSL has against the chain; null where it has nothing. */
  readonly opensslError: string | null;
  /** The path judged when the session began that is now resumed, where we kept it. */
  readonly remembered: Path | null;
}

/** Longer chains than this are of nobody's making but an attacker's. */
const MOST_CERTIFICATES = 16;

/**
 * @param remembered the path kept with the session that the connection resumes, on the client
 * @param toRoot whether the chain must reach the root that OpenSSL found in the default store, which peers leave out
 */
export function presentedBy(
  socket: TLSSocket,
  { remembered, toRoot }: { remembered: Path | null; toRoot: boolean },
): Presented {
  const resumed = socket.isSessionReused();
  const path = resumed ? remembered : null;
  return {
    ders: path === null ? dersOf(socket, resumed, toRoot) : [],
    resumed,
    opensslError: socket.authorized ? null : errorOf(socket),
    remembered: path,
  };
}

/**
 * Reads what clients send before Node itself looks at it, on the versions where Node's look takes a client's issuers
 * away (nodejs/node#65579: 24.21, 26.8 and 26.9; not yet known of later ones of 22 and 24). That secrets were made is the
 * one public sign of a handshake that is under way, which is when its socket may still be listened to before Node.
 */
export function readChainsEarly(server: Server): void {
  if (!LOOKS_FIRST) return;
  server.on('keylog', (_line: Buffer, socket: TLSSocket) => {
    if (EARLY.has(socket)) return;
    EARLY.set(socket, []);
    socket.prependOnceListener('secure', () => {
      EARLY.set(socket, chainAsSent(socket, socket.isSessionReused()));
    });
  });
}

const EARLY = new WeakMap<TLSSocket, Buffer[]>();
const LOOKS_FIRST = looksFirst(process.versions.node);

function looksFirst(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major === 22) return minor > 23;
  if (major === 24) return minor > 20;
  return major === 26 && (minor === 8 || minor === 9);
}

function dersOf(socket: TLSSocket, resumed: boolean, toRoot: boolean): Buffer[] {
  if (toRoot && !resumed) return chainToRoot(socket);
  const early = EARLY.get(socket);
  // It is judged once; the socket may live for long.
  EARLY.delete(socket);
  return early ?? chainAsSent(socket, resumed);
}

/** A resumed session carries the peer's own certificate alone; what Node adds to it is from our own store. */
function chainAsSent(socket: TLSSocket, resumed: boolean): Buffer[] {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return [];
  const ders = [leaf.raw];
  let next = resumed ? undefined : leaf.issuerCertificate;
  while (next !== undefined && ders.length < MOST_CERTIFICATES) {
    ders.push(next.raw);
    next = next.issuerCertificate;
  }
  return ders;
}

/** Only the older of Node's two readers adds the root; it costs twice as much, and gets nothing after the newer one. */
function chainToRoot(socket: TLSSocket): Buffer[] {
  const ders: Buffer[] = [];
  let next: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && ders.length < MOST_CERTIFICATES) {
    ders.push(next.raw);
    // A root is its own issuer there.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return ders;
}

function errorOf(socket: TLSSocket): string {
  const error: unknown = socket.authorizationError;
  if (error instanceof Error) return (error as { code?: string }).code ?? error.message;
  return typeof error === 'string' && error !== '' ? error : 'not authorized';
}
