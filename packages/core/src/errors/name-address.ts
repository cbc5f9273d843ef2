/** Which connection a message is about: errors of parts that know no address get it on their way to the program. */
import { EasySocketError } from './base.js';

/** What named errors said before; peers never receive addresses. */
const words = new WeakMap<Error, string>();

/**
 * Adds the peer's address to the message of an error of ours, unless it stands there already. An error is named once.
 * @param address such as `192.0.2.1:8443`; null for a peer without one
 * @returns the same error
 */
export function nameAddress<E extends Error>(error: E, address: string | null): E {
  if (address === null || !(error instanceof EasySocketError) || words.has(error)) return error;
  const { message, stack = '' } = error;
  // A host's name says as much as its address.
  const place = address.includes(':') ? address.slice(address.lastIndexOf(':')) : address;
  if (message.includes(place)) return error;
  words.set(error, message);
  const named = `${message} (connection with ${address})`;
  error.message = named;
  // The stack begins with the message as it was.
  error.stack = stack.replace(message, () => named);
  return error;
}

/** What an error says without the address that `nameAddress` added. */
export function wordsOf(error: Error): string {
  return words.get(error) ?? error.message;
}
