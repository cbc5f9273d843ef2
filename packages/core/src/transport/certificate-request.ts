import type { TLSSocket } from 'node:tls';

/**
 * Whether the server requested our certificate in this handshake. Node doesn't report it; but a server sends signature
 * algorithms to its client only in a CertificateRequest (RFC 8446 4.3.2, RFC 5246 7.4.4), and OpenSSL shows those.
 */
export function wasCertificateRequested(socket: TLSSocket): boolean {
  const algorithms = socket.getSharedSigalgs() as string[] | null | undefined;
  return (algorithms?.length ?? 0) > 0;
}

/** Whether we have a certificate to show to a server that requests one. */
export function hasCertificate(socket: TLSSocket): boolean {
  return Object.keys(socket.getCertificate() ?? {}).length > 0;
}
