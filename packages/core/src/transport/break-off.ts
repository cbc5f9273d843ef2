/** Ends of a TLS socket that its peer can't take for an end: by a fatal alert, or by a reset of TCP, which Unix sockets lack. */
import type { TLSSocket } from 'node:tls';
import { resetOnClose, sendAlert } from './tls-handle.js';

interface Breaking {
  readonly socket: TLSSocket;
  /** Whether an error of the socket is that of our own alert. */
  isAlerting: boolean;
}

/** How long what is being written may delay an alert, in ms: enough for a peer that reads, and too short to be noticed otherwise. */
const WRITES_MS = 200;

/** Behind everything written, and then ends our direction; where no alert can be sent, `destroy` resets. */
export function cut(stream: Breaking): void {
  const { socket } = stream;
  if (!socket.writable) return;
  socket.write('', (error) => {
    if (error) return;
    alert(stream, (isSent) => {
      if (isSent) socket.end();
    });
  });
}

/**
 * Before the socket is destroyed.
 * @returns whether it is done here once the alert is sent, which amid a read is a little later
 */
export function breakOff(stream: Breaking, how: 'alert' | 'reset'): boolean {
  const { socket } = stream;
  if (how === 'reset' && resetOnClose(socket)) return false;
  let isLate = false;
  let isDone = false;
  alert(stream, () => {
    isDone = true;
    if (isLate) socket.destroy();
  });
  isLate = true;
  return !isDone;
}

/**
 * Where an alert must wait for what is being written: sends it behind that and destroys the socket, or resets it where the peer
 * doesn't take it soon.
 * @returns false where nothing has to wait
 */
export function breaksOffLater(stream: Breaking, how: 'alert' | 'reset'): boolean {
  const { socket } = stream;
  if (!socket.writable || (how === 'reset' && resetOnClose(socket))) return false;
  socket.pause();
  const patience = setTimeout(() => {
    resetOnClose(socket);
    socket.destroy();
  }, WRITES_MS);
  socket.write('', () => {
    clearTimeout(patience);
    alert(stream, () => {
      socket.destroy();
    });
  });
  return true;
}

/** After its own end the peer hears no alert: then `destroy` resets. */
function alert(stream: Breaking, done: (isSent: boolean) => void): void {
  const { socket } = stream;
  const tried = (isSent: boolean): void => {
    stream.isAlerting = false;
    if (!isSent) resetOnClose(socket);
    done(isSent);
  };
  stream.isAlerting = true;
  if (socket.writable) sendAlert(socket, tried);
  else tried(false);
}
