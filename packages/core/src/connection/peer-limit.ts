import { MessageTooLargeError } from '../errors/index.js';

/** Why a message of that many bytes isn't sent to a peer that accepts at most `limit`. */
export function tooLargeForPeer(bytes: number, limit: number): MessageTooLargeError {
  return new MessageTooLargeError(bytes, limit, {
    hint: 'Send less at once, or raise maxMessageBytes on the peer.',
  });
}
