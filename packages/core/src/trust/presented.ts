/** What a peer showed in its handshake, as Node lets us see it. */
import type { X509Certificate as NodeCertificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Path } from './path-cache.js';

export interface Presented {
  /** The certificates as sent, the peer's own first; empty where it sent none. DER. */
  readonly ders: readonly Buffer[];
  readonly resumed: boolean;
  /** What OpenSSL has against the chain; null where it has nothing. */
  readonly opensslError: string | null;
  /** The path judged when the session began that is now resumed, where we kept it. */
  readonly remembered: Path | null;
}

/** Longer chains than this are of nobody's making but an attacker's. */
const MOST_CERTIFICATES = 16;

/** @param remembered the path kept with the session that the connection resumes, on the client */
export function presentedBy(socket: TLSSocket, remembered: Path | null): Presented {
  const resumed = socket.isSessionReused();
  const leaf = socket.getPeerX509Certificate();
  return {
    ders: leaf === undefined ? [] : chainOf(leaf, resumed),
    resumed,
    opensslError: socket.authorized ? null : errorOf(socket),
    remembered: resumed ? remembered : null,
  };
}

/** A resumed session carries the peer's own certificate alone; what Node adds to it is from our own store. */
function chainOf(leaf: NodeCertificate, resumed: boolean): Buffer[] {
  const ders = [leaf.raw];
  let next = resumed ? undefined : leaf.issuerCertificate;
  while (next !== undefined && ders.length < MOST_CERTIFICATES) {
    ders.push(next.raw);
    next = next.issuerCertificate;
  }
  return ders;
}

function errorOf(socket: TLSSocket): string {
  const error: unknown = socket.authorizationError;
  if (error instanceof Error) return (error as { code?: string }).code ?? error.message;
  return typeof error === 'string' && error !== '' ? error : 'not authorized';
}
