/** Whether a certificate names the certificate of its issuer, and not another one of the same name (RFC 5280 4.2.1.1). */
import type { X509Certificate } from './certificate.js';
import { showSubject } from './failure.js';

/**
 * What an authority key identifier says against an issuer, as the end of a sentence ("certificate … names …"); undefined
 * where it fits or isn't there. OpenSSL doesn't link two certificates whose identifiers differ, so that no connection
 * could be made with them.
 */
export function identifierProblem(
  { authorityKeyIdentifier: wanted }: X509Certificate,
  issuer: X509Certificate,
): string | undefined {
  if (wanted === undefined) return undefined;
  const { keyIdentifier, serial, issuer: names = [] } = wanted;
  const own = issuer.subjectKeyIdentifier;
  const whom = showSubject(issuer);
  if (keyIdentifier && own && !keyIdentifier.equals(own))
    return `names an issuer with the key identifier ${shown(keyIdentifier)}, and ${whom} has ${shown(own)}`;
  if (serial && !serial.equals(issuer.serialBytes))
    return `names an issuer's certificate with the serial number ${serial.toString('hex')}, and that of ${whom} has ${issuer.serial}`;
  const [directory] = names.flatMap((name) => (name.kind === 'directory' ? [name.value] : []));
  if (directory && !directory.equals(issuer.issuer))
    return `names an issuer's certificate that ${directory.toString()} has issued, and ${issuer.issuer.toString()} has issued that of ${whom}`;
  return undefined;
}

const shown = (identifier: Buffer): string => identifier.subarray(0, 20).toString('hex');
