/** Readable names of keys, signature algorithms and purposes. */
import { curveNames, type KeyKind } from '@knsock/core/x509';

const signatures: Record<string, string> = {
  '1.2.840.113549.1.1.2': 'RSA with MD2',
  '1.2.840.113549.1.1.4': 'RSA with MD5',
  '1.2.840.113549.1.1.5': 'RSA with SHA-1',
  '1.2.840.113549.1.1.10': 'RSA-PSS',
  '1.2.840.113549.1.1.11': 'RSA with SHA-256',
  '1.2.840.113549.1.1.12': 'RSA with SHA-384',
  '1.2.840.113549.1.1.13': 'RSA with SHA-512',
  '1.2.840.113549.1.1.14': 'RSA with SHA-224',
  '1.2.840.10040.4.3': 'DSA with SHA-1',
  '1.2.840.10045.4.1': 'ECDSA with SHA-1',
  '1.2.840.10045.4.3.1': 'ECDSA with SHA-224',
  '1.2.840.10045.4.3.2': 'ECDSA with SHA-256',
  '1.2.840.10045.4.3.3': 'ECDSA with SHA-384',
  '1.2.840.10045.4.3.4': 'ECDSA with SHA-512',
  '1.3.101.112': 'Ed25519',
  '1.3.101.113': 'Ed448',
  '2.16.840.1.101.3.4.3.17': 'ML-DSA-44',
  '2.16.840.1.101.3.4.3.18': 'ML-DSA-65',
  '2.16.840.1.101.3.4.3.19': 'ML-DSA-87',
};

const purposes: Record<string, string> = {
  '2.5.29.37.0': 'any',
  '1.3.6.1.5.5.7.3.1': 'server',
  '1.3.6.1.5.5.7.3.2': 'client',
  '1.3.6.1.5.5.7.3.3': 'code signing',
  '1.3.6.1.5.5.7.3.4': 'e-mail',
  '1.3.6.1.5.5.7.3.8': 'time stamping',
  '1.3.6.1.5.5.7.3.9': 'OCSP signing',
};

/** "P-256", "RSA 2,048 bits" … */
export function keyName(kind: KeyKind): string {
  if ('bits' in kind)
    return `${kind.type === 'rsa' ? 'RSA' : 'RSA-PSS'} ${kind.bits.toLocaleString('en')} bits`;
  if (kind.type === 'ec')
    return kind.curve === undefined ? 'EC (own curve)' : (curveNames[kind.curve] ?? `EC ${kind.curve}`);
  return kind.type.replace(/^ed/, 'Ed').replace(/^ml-dsa/, 'ML-DSA');
}

/** "ECDSA with SHA-256" …; an unknown algorithm by its identifier. */
export function signatureName(oid: string): string {
  return signatures[oid] ?? oid;
}

/** "server", "client" …; an unknown purpose by its identifier. */
export function purposeName(oid: string): string {
  return purposes[oid] ?? oid;
}
