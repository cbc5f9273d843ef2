/** Bare node:tls, set up alike wherever it is used: TLS 1.3 with one cipher, so that every peer does the same work. */
import { readFileSync } from 'node:fs';
import type tls from 'node:tls';
import { SERVER_NAME, type Certificates } from './certificates.js';

export const LOOPBACK = '127.0.0.1';
const COMMON = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_256_GCM_SHA384' } as const;

export function serverOptions(files: Certificates, clientCertificates: boolean): tls.TlsOptions {
  return {
    ...COMMON,
    cert: readFileSync(files.serverCertificate),
    key: readFileSync(files.serverKey),
    // With a ca Node sends it along in the chain, which only a server that asks for certificates has to bear.
    ...(clientCertificates && { ca: readFileSync(files.ca), requestCert: true, rejectUnauthorized: true }),
    noDelay: true,
  };
}

/** What a client's SecureContext is made of. */
export function clientContext(files: Certificates, clientCertificates: boolean): tls.SecureContextOptions {
  return {
    ...COMMON,
    ca: readFileSync(files.ca),
    ...(clientCertificates && {
      cert: readFileSync(files.clientCertificate),
      key: readFileSync(files.clientKey),
    }),
  };
}

export function clientOptions(port: number): tls.ConnectionOptions {
  return { host: LOOPBACK, port, servername: SERVER_NAME };
}

/** Listens on a free port and resolves with it. */
export function listenOn(server: tls.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, LOOPBACK, 4_096, () => {
      resolve((server.address() as { port: number }).port);
    });
  });
}
