import * as tls from 'node:tls';
import { splitPem } from '../x509/index.js';
import { sha256 } from './sha256.js';

/**
 * Whether Node's default store holds a root, by its SHA-256. Only for verifying again without a handshake; during a handshake
 * OpenSSL itself checks the store. Node 20 doesn't report the roots of NODE_EXTRA_CA_CERTS, so these aren't found there.
 */
export function isDefaultRoot(fingerprint: string): boolean {
  roots ??= new Set(defaultRoots().flatMap((pem) => splitPem(pem).map(({ der }) => sha256(der))));
  return roots.has(fingerprint);
}
let roots: Set<string> | undefined;

function defaultRoots(): readonly string[] {
  const newer = Reflect.get(tls, 'getCACertificates') as ((type: 'default') => readonly string[]) | undefined;
  return newer?.('default') ?? tls.rootCertificates;
}
