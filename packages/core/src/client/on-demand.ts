/** `connect`, whose code is loaded when it's first called: programs that only listen never load it. */
import { Duplex } from 'node:stream';
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
  if (loaded === undefined) {
    // A socket that was given may be reset while the code loads.
    holdErrorsOf(options);
    loaded = await import('./connect.js');
  }
  return await loaded.connect(options);
}

/** The options aren't checked yet: they may be anything. */
function holdErrorsOf(options: { readonly socket?: unknown } | undefined): void {
  const socket = options?.socket;
  if (socket instanceof Duplex) socket.on('error', ignore);
}

function ignore(): void {
  // Found when the socket is looked at.
}
