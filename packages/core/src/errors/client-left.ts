/** For a server: the hint of `KNSOCK_HANDSHAKE_DISCONNECTED` speaks to a client. */
export const CLIENT_LEFT =
  "Most likely the client doesn't trust this server's certificate, or used a name that isn't in it: not all send an alert. Its error says why; does it have the CA, and the whole chain?";
