import type { TLSSocket } from 'node:tls';

/**
 * Whether the server asked for our certificate in this handshake. Node doesn't tell; but a server sends signature
 * algorithms to its client in a CertificateRequest alone (RFC 8446 4.3.2, RFC 5246 7.4.4), and those OpenSSL shows.
 */
export function wasCertificateRequested(socket: TLSSocket): boolean {
  const algorithms = socket.getSharedSigalgs() as string[] | null | undefined;
  return (algorithms?.length ?? 0) > 0;
}

/** Whether we have a certificate to show to a server that asks. */
export function hasCertificate(socket: TLSSocket): boolean {
  return Object.keys(socket.getCertificate() ?? {}).length > 0;
}
