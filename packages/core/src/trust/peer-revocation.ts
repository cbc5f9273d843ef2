/** What a revocation source's answer means for a peer: anything but "good" refuses. */
import { isThenable } from '../errors/thenable.js';
import { UntrustedPeerError, type PeerReason } from '../errors/index.js';
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
  const said = (answer ?? {}) as Record<'status' | 'reason' | 'position', unknown>;
  const { status, reason } = said;
  if (status === 'good') return null;
  const named = typeof said.position === 'number' ? peer.path[said.position - 1] : undefined;
  const why = typeof reason === 'string' ? reason : undefined;
  const position = named === undefined ? 1 : (said.position as number);
  const place = { certificate: named ?? peer.certificate, position, of: peer.path.length };
  return status === 'revoked' ? revoked(place, why) : unknown(place, why);
}

interface Place {
  readonly certificate: X509Certificate;
  readonly position: number;
  readonly of: number;
}

function revoked(place: Place, why: string | undefined): UntrustedPeerError {
  const message = `${nameOf(place)} is revoked${why === undefined ? '' : `: ${why}`}`;
  return refusal('revoked', place, message);
}

function unknown(place: Place, why: string | undefined): UntrustedPeerError {
  const stale = why === 'crl-stale';
  const words = stale ? 'the CRL that covers it is out of date' : (why ?? 'no loaded CRL covers it');
  const message = `whether ${nameOf(place)} is revoked is unknown: ${words}`;
  return refusal(stale ? 'crl-stale' : 'revocation-unknown', place, message);
}

function refusal(reason: PeerReason, { certificate, position }: Place, message: string): UntrustedPeerError {
  return new UntrustedPeerError(reason, position, message, { certificate: evidenceOf(certificate) });
}

function failed({ subject, certificate }: PeerIdentity, cause: unknown): UntrustedPeerError {
  const message = `whether ${subject} is revoked is unknown: the revocation source failed`;
  return new UntrustedPeerError('revocation-unknown', 1, message, {
    cause,
    certificate: evidenceOf(certificate),
  });
}

const nameOf = ({ certificate: { subject }, position, of }: Place): string =>
  `certificate ${position} of ${of} (${subject.toString()})`;
