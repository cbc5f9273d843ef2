/** The purposes that a certificate's extended key usage allows; without the extension, all. */
import type { X509Certificate } from '@knsock/core/x509';

export function usesOf({ extendedKeyUsage }: X509Certificate): {
  readonly server: boolean;
  readonly client: boolean;
} {
  const has = (oid: string): boolean => extendedKeyUsage?.includes(oid) ?? true;
  return { server: has('1.3.6.1.5.5.7.3.1'), client: has('1.3.6.1.5.5.7.3.2') };
}
