/** The purposes that a certificate's extended key usage, and Netscape's certificate type, allow; without them, all. */
import type { X509Certificate } from '@knsock/core/x509';

export function usesOf({ extendedKeyUsage, netscapeCertType: netscape }: X509Certificate): {
  readonly server: boolean;
  readonly client: boolean;
} {
  const has = (oid: string): boolean => extendedKeyUsage?.includes(oid) ?? true;
  return {
    server: has('1.3.6.1.5.5.7.3.1') && netscape?.has('SSL server') !== false,
    client: has('1.3.6.1.5.5.7.3.2') && netscape?.has('SSL client') !== false,
  };
}
