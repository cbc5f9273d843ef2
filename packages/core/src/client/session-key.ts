import { showTarget } from '../transport/dial.js';
import type { ConnectConfig } from './config.js';

/**
 * Everything that decided trust: a session is resumed only where each of it is the same. Null where the connection
 * has no address to remember it by.
 */
export function sessionKey({ target, servername, trust, profile, framing }: ConnectConfig<never, never>): string | null {
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
    framing.alpn,
  ]);
}
