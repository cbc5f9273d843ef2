import type { TLSSocket } from 'node:tls';

/**
 * Whether the server requested our certificate in this handshake. Node doesn't report it; but a server sends signature
 * algorithms to its client only in a CertificateRequest (RFC 8446 4.3.2, RFC 5246 7.4.4), and OpenSSL shows those.
 */
export function wasCertificateRequested(socket: TLSSocket): boolean {
  if (isReleased(socket)) return false;
  const algorithms = socket.getSharedSigalgs() as string[] | null | undefined;
  return (algorithms?.length ?? 0) > 0;
}

/** Whether we have a certificate to show to a server that requests one. */
export function hasCertificate(socket: TLSSocket): boolean {
  if (isReleased(socket)) return false;
  return Object.keys(socket.getCertificate() ?? {}).length > 0;
}

/**
 * Over a stream that isn't a socket, OpenSSL's part is gone once the stream has closed, while Node still has its handle, and
 * doesn't check: the process would end. Node's own mark of that, the same in 20, 22, 24 and 26, is `ssl`.
 */
function isReleased(socket: TLSSocket): boolean {
  return (socket as { ssl?: unknown }).ssl === null;
}
