/** What a revocation source's answer means for a peer: anything but "good" refuses. */
import { isThenable } from '../errors/thenable.js';
import { UntrustedPeerError } from '../errors/index.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import type { X509Certificate } from '../x509/index.js';
import { evidenceOf } from './evidence.js';
import type { RevocationSource } from './revocation.js';

/** Null where no certificate of the path is revoked. An exception, a rejection or an invalid answer refuses. */
export function checkPeerRevocation(
  source: RevocationSource,
  peer: PeerIdentity,
  signal: AbortSignal,
): UntrustedPeerError | null | Promise<UntrustedPeerError | null> {
  try {
    const answer: unknown = source.check(peer.path, { at: new Date(), signal });
    if (!isThenable(answer)) return read(peer, answer);
    return Promise.resolve(answer).then(
      (value) => read(peer, value),
      (cause: unknown) => failed(peer, cause),
    );
  } catch (cause) {
    return failed(peer, cause);
  }
}

/** The source belongs to the program: its answer may be any value. */
function read(peer: PeerIdentity, answer: unknown): UntrustedPeerError | null {
  const { status, reason, depth = 0 } = (answer ?? {}) as Record<'status' | 'reason' | 'depth', unknown>;
  if (status === 'good') return null;
  const at = typeof depth === 'number' ? depth : 0;
  const why = typeof reason === 'string' ? reason : undefined;
  const certificate = peer.path[at] ?? peer.certificate;
  return status === 'revoked' ? revoked(certificate, at, why) : unknown(certificate, at, why);
}

function revoked(certificate: X509Certificate, depth: number, why: string | undefined): UntrustedPeerError {
  const message = `${nameOf(certificate, depth)} is revoked${why === undefined ? '' : `: ${why}`}`;
  return new UntrustedPeerError('revoked', depth, message, { certificate: evidenceOf(certificate) });
}

function unknown(certificate: X509Certificate, depth: number, why: string | undefined): UntrustedPeerError {
  const stale = why === 'crl-stale';
  const words = stale ? 'the CRL that covers it is out of date' : (why ?? 'no loaded CRL covers it');
  const message = `whether ${nameOf(certificate, depth)} is revoked is unknown: ${words}`;
  return new UntrustedPeerError(stale ? 'crl-stale' : 'revocation-unknown', depth, message, {
    certificate: evidenceOf(certificate),
  });
}

function failed({ subject, certificate }: PeerIdentity, cause: unknown): UntrustedPeerError {
  const message = `whether ${subject} is revoked is unknown: the revocation source failed`;
  return new UntrustedPeerError('revocation-unknown', 0, message, {
    cause,
    certificate: evidenceOf(certificate),
  });
}

const nameOf = ({ subject }: X509Certificate, depth: number): string =>
  `certificate ${depth} (${subject.toString()})`;
