import { MessageTooLargeError } from '../errors/index.js';

/** Why a message of so many bytes isn't sent to a peer that takes no more than `limit`. */
export function tooLargeForPeer(bytes: number, limit: number): MessageTooLargeError {
  return new MessageTooLargeError(bytes, limit, {
    hint: 'Send less at once, or raise maxMessageBytes on the peer.',
  });
}
