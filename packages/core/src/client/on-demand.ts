/** `connect`, whose code is loaded when it's first called: programs that only listen never load it. */
import type { SecureConnection } from '../connection/connection-types.js';
import type { Payload } from '../framing/framing.js';
import type { ConnectOptions } from './config.js';

let loaded: typeof import('./connect.js') | undefined;

/**
 * Connects to a server, verifies it, and resolves when it has accepted the connection.
 * The same frozen options object (its lists and plain objects frozen too) is read once.
 * @throws ConnectionError (unreachable, timeout with its phase), HandshakeError, UntrustedPeerError and
 *   PeerNotAllowedError (our verification), ClientCertificateRefusedError (the peer's), FramingMismatchError,
 *   InvalidOptionError, or the signal's reason
 */
export async function connect<In = Buffer, Out = Payload>(
  options: ConnectOptions<In, Out>,
): Promise<SecureConnection<In, Out>> {
  loaded ??= await import('./connect.js');
  return await loaded.connect(options);
}
