import { showTarget } from '../transport/dial.js';
import type { ReachConfig } from './config.js';

/**
 * Everything that decided trust: a session is resumed only where each of it is the same. Null where the connection
 * has no address to remember it by.
 */
export function sessionKey(reach: ReachConfig, alpn: string | undefined): string | null {
  const { target, servername, trust, profile } = reach;
  if (target.kind === 'socket') return null;
  const { credentials, name, pins, partialChain, verify } = trust;
  return JSON.stringify([
    showTarget(target),
    servername,
    name,
    credentials.version,
    credentials.anchorsVersion,
    pins === null ? null : [...pins].sort(),
    partialChain,
    verify,
    profile,
    alpn,
  ]);
}
