/** `authorize`: whether a peer whose certificate is valid, or that needs none, is admitted. */
import { PeerNotAllowedError } from '../errors/index.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import { evidenceOf } from './evidence.js';
import { isThenable } from '../errors/thenable.js';
import type { TrustPolicy } from './trust-policy.js';

/** Null where it is admitted. Rules are checked first, then the function; an exception or a rejection refuses. */
export function authorizePeer(
  policy: TrustPolicy,
  peer: PeerIdentity | null,
  signal: AbortSignal,
): PeerNotAllowedError | null | Promise<PeerNotAllowedError | null> {
  if (policy.rules !== null) {
    const wanted = peer === null ? 'a certificate' : policy.rules(peer);
    if (wanted !== null) return notAllowed(peer, `authorize requires ${wanted}`);
  }
  if (policy.authorize === null) return null;
  try {
    const answer: unknown = policy.authorize(peer, { signal });
    if (!isThenable(answer)) return read(peer, answer);
    return Promise.resolve(answer).then(
      (value) => read(peer, value),
      (cause: unknown) => notAllowed(peer, 'authorize failed', cause),
    );
  } catch (cause) {
    return notAllowed(peer, 'authorize failed', cause);
  }
}

/** Only `true` admits: another truthy value is taken for a mistake. */
function read(peer: PeerIdentity | null, answer: unknown): PeerNotAllowedError | null {
  return answer === true ? null : notAllowed(peer, 'authorize refused it');
}

function notAllowed(peer: PeerIdentity | null, why: string, cause?: unknown): PeerNotAllowedError {
  const who = peer === null ? 'a peer without a certificate' : peer.subject;
  return new PeerNotAllowedError(`${who} isn't admitted: ${why}`, {
    cause,
    ...(peer !== null && { certificate: evidenceOf(peer.certificate) }),
  });
}
