/** Where this thread listens: a call that blocks the thread must not wait for a server in it. */
import type { ServerAddress } from './secure-server.js';

const addresses = new Set<ServerAddress>();

/** Remembers an address until the function returned is called. */
export function noteListening(address: ServerAddress): () => void {
  addresses.add(address);
  return () => addresses.delete(address);
}

/** The addresses that servers of this thread listen on now. */
export function listeningHere(): readonly ServerAddress[] {
  return [...addresses];
}
