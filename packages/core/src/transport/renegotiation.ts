/**
 * Attempts to renegotiate, which TLS 1.2 has. OpenSSL refuses each by an alert (`SSL_OP_NO_RENEGOTIATION`), and Node takes the
 * end of each for another finished handshake: it verifies the peer again, at up to half a millisecond for four bytes of the peer's.
 * A record has room for 4,000 of them, which would hold the event loop for seconds.
 */
import type { TLSSocket } from 'node:tls';

/** As many as Node allows clients (`tls.CLIENT_RENEG_LIMIT` and `tls.CLIENT_RENEG_WINDOW`); it allows servers any number. */
const MOST = 3;
const WINDOW_MS = 600_000;

const ATTEMPTS = Symbol('attempts');
type Counted = TLSSocket & { [ATTEMPTS]?: { since: number; count: number } };

/** From now on an attempt costs little, and too many end the connection. The handshake must be done. */
export function boundRenegotiation(socket: TLSSocket): void {
  // Node's own, which verifies the peer.
  socket.removeAllListeners('secure');
  socket.on('secure', onAttempt);
}

function onAttempt(this: Counted): void {
  const now = performance.now();
  const known = this[ATTEMPTS];
  const attempts = known !== undefined && now - known.since < WINDOW_MS ? known : { since: now, count: 0 };
  this[ATTEMPTS] = attempts;
  attempts.count += 1;
  if (attempts.count === MOST + 1) this.destroy(tooMany());
}

/** As Node names it where it is the server. */
function tooMany(): Error {
  const message = `the peer tried to renegotiate more than ${MOST} times`;
  return Object.assign(new Error(message), { code: 'ERR_TLS_SESSION_ATTACK' });
}
