/** The default of `knsock serve`: every message is sent back, and every request is answered with its payload. */
import type { SecureConnection } from '@knsock/core';

export function echo<Message>(connection: SecureConnection<Message, Message>, framing: string): void {
  // Only the knsock framing distinguishes requests from messages; on others a handler would make every message a request.
  if (framing === 'knsock') connection.onRequest(({ payload }) => payload);
  connection.onMessage((message) => connection.send(message));
}
