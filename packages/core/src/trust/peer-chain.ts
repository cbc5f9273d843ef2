/** What a peer presented in its handshake, as far as Node exposes it. */
import type { DetailedPeerCertificate, Server, TLSSocket } from 'node:tls';
import type { Path } from './path-cache.js';
import { takeLeaf } from './session-leaf.js';

export interface PeerChain {
  /** The peer's own certificate, DER; null where it sent none, or its path is remembered. */
  readonly leaf: Buffer | null;
  readonly resumed: boolean;
  /** OpenSSL's error for the chain; null where it accepts it. */
  readonly opensslError: string | null;
  /** The path verified when the resumed session began, if it was kept. */
  readonly remembered: Path | null;
  /**
   * The certificates sent, as far as each issued the one before it, the peer's own first; DER. Reading them costs more
   * than everything else, and a peer whose path is known needs none of them.
   */
  chain(): readonly Buffer[];
}

/** Only an attacker sends a longer chain. */
const MOST_CERTIFICATES = 16;

/** For a peer from which no certificate was requested. */
export function unaskedChain(socket: TLSSocket): PeerChain {
  return {
    leaf: null,
    resumed: socket.isSessionReused(),
    opensslError: null,
    remembered: null,
    chain: () => [],
  };
}

/** @param remembered the path kept with the session that the connection resumes, on the client */
export function readPeerChain(socket: TLSSocket, { remembered }: { remembered: Path | null }): PeerChain {
  const resumed = socket.isSessionReused();
  const path = resumed ? remembered : null;
  const early = earlyChainOf(socket);
  const leaf = path === null ? (early?.[0] ?? leafOf(socket)) : null;
  let chain = early;
  return {
    leaf,
    resumed,
    opensslError: socket.authorized ? null : errorOf(socket),
    remembered: path,
    chain: () => (chain ??= leaf === null ? [] : resumed ? [leaf] : chainAsSent(socket, leaf)),
  };
}

/**
 * Reads a client's chain before Node itself does, on the versions where Node's reading removes a client's issuers
 * (nodejs/node#65579: 24.21, 26.8 and 26.9). The creation of secrets is the only public sign of a handshake in
 * progress, when a listener can still be added ahead of Node's.
 */
export function readChainsEarly(server: Server, looksFirst = LOOKS_FIRST): void {
  if (!looksFirst) return;
  server.on('keylog', (_line: Buffer, socket: TLSSocket) => {
    if (EARLY.has(socket)) return;
    EARLY.set(socket, []);
    socket.prependOnceListener('secure', () => {
      const leaf = leafOf(socket);
      if (leaf === null || socket.isSessionReused()) EARLY.delete(socket);
      else EARLY.set(socket, chainAsSent(socket, leaf));
    });
  });
}

const EARLY = new WeakMap<TLSSocket, Buffer[]>();

/** Whether this version of Node reads a client's chain before any other code can, and removes its issuers. */
export function looksFirst(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return (major === 24 && minor === 21) || (major === 26 && (minor === 8 || minor === 9));
}
const LOOKS_FIRST = looksFirst(process.versions.node);

/** It is verified once; the socket may stay open for long. */
function earlyChainOf(socket: TLSSocket): Buffer[] | undefined {
  const early = EARLY.get(socket);
  EARLY.delete(socket);
  return early;
}

/**
 * Of Node's readers one leaks the issuers on Node 20 and 22 and decodes the key again on 20, the other decodes the whole
 * certificate. The session has its bytes.
 */
function leafOf(socket: TLSSocket): Buffer | null {
  // Null where the socket is gone, which the types don't express.
  const session = socket.getSession() as Buffer | null | undefined;
  const leaf = session ? takeLeaf(session) : null;
  return leaf ?? rawOf(socket.getPeerCertificate(false));
}

/**
 * The certificates sent, ordered so that each issued the one before. Node's older reader stops early where a peer sent its
 * certificates in another order, which TLS 1.3 allows, or sent an issuer that may not issue, and follows an expired one beside a
 * valid one of the same CA; the newer one returns all of them.
 */
function chainAsSent(socket: TLSSocket, leaf: Buffer): Buffer[] {
  const { ders, isWhole } = linkedChain(socket, leaf);
  return isWhole || !mayReadAll(socket) ? ders : allSent(socket);
}

/** On Node 20 and 22 the newer reader leaks some kilobytes: an unauthenticated peer can't make the memory grow. */
const LEAKS = Number(process.versions.node.split('.')[0]) < 24;

/** Peers that OpenSSL refuses and that are read so nevertheless, to say why: they leak a megabyte or two in all. */
const MOST_LEAKS = 256;
let leaks = 0;

function mayReadAll({ authorized }: TLSSocket): boolean {
  return authorized || !LEAKS || leaks++ < MOST_LEAKS;
}

/** Of two certificates of one CA it follows the one sent first; OpenSSL then accepted the other, if that one is valid. */
function hasExpired(certificate: Partial<DetailedPeerCertificate> | undefined): boolean {
  return Date.parse(certificate?.valid_to ?? '') < Date.now();
}

/** With `detailed` Node adds the last one's issuer from our own store, which changes no verification. */
function linkedChain(
  socket: TLSSocket,
  leaf: Buffer,
): { readonly ders: Buffer[]; readonly isWhole: boolean } {
  const ders = [leaf];
  let isCurrent = true;
  let last: Partial<DetailedPeerCertificate> | null | undefined = socket.getPeerCertificate(true);
  while (ders.length < MOST_CERTIFICATES) {
    const next: Partial<DetailedPeerCertificate> | undefined = last?.issuerCertificate;
    // A root is its own issuer there.
    if (next === last) return { ders, isWhole: isCurrent };
    const der = rawOf(next);
    if (der === null) break;
    ders.push(der);
    isCurrent &&= !hasExpired(next);
    last = next;
  }
  return { ders, isWhole: false };
}

function allSent(socket: TLSSocket): Buffer[] {
  const ders: Buffer[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && ders.length < MOST_CERTIFICATES) {
    ders.push(next.raw);
    next = next.issuerCertificate;
  }
  return ders;
}

/** Node returns an empty object where there is none, and null where the socket is gone. */
function rawOf(certificate: { raw?: Buffer } | null | undefined): Buffer | null {
  return certificate?.raw ?? null;
}

function errorOf(socket: TLSSocket): string {
  const error: unknown = socket.authorizationError;
  if (error instanceof Error) return (error as { code?: string }).code ?? error.message;
  return typeof error === 'string' && error !== '' ? error : 'not authorized';
}
