/** Reading certificates and lists. */
import { CredentialsError, MalformedDerError } from '../errors/index.js';
import { parseCertificates, type X509Certificate } from '../x509/certificate.js';
import { allCertificates, certificatesIn, certificatesInNow } from '../x509/pkcs12/certificates-in.js';
import { parseCrls, type CertificateRevocationList } from '../x509/crl.js';

/** Every certificate of a bundle. @throws CredentialsError 'malformed' */
export function readCertificates(
  material: string | Uint8Array,
  what: string,
  file: string | undefined,
): X509Certificate[] {
  try {
    return parseCertificates(material);
  } catch (error) {
    throw malformed(`the ${what}`, file, error);
  }
}

/**
 * The trusted certificates, each once, of PEM, DER, PKCS#7 or a trust store (PKCS#12, Java's), which `passphrase` opens.
 * @throws CredentialsError 'malformed', 'passphrase', 'unsupported'
 */
export function readAnchorsNow(given: GivenAnchors): X509Certificate[] {
  return whole(
    bundles(given).map(({ material, file }) => {
      try {
        return certificatesInNow(material, given.passphrase);
      } catch (error) {
        throw unreadableAnchors(file, error);
      }
    }),
  );
}

/** The same with keys derived off the main thread, and Java's older stores. */
export async function readAnchorsOffThread(given: GivenAnchors): Promise<X509Certificate[]> {
  const read = bundles(given).map(async ({ material, file }) => {
    try {
      return allCertificates(await certificatesIn(material, { passphrase: given.passphrase }));
    } catch (error) {
      throw unreadableAnchors(file, error);
    }
  });
  return whole(await Promise.all(read));
}

/** Where trusted certificates come from. */
export interface GivenAnchors {
  readonly ca: Bytes | readonly Bytes[];
  readonly passphrase: string | undefined;
  readonly files: readonly string[] | undefined;
}

type Bytes = string | Uint8Array;

function bundles({ ca, files }: GivenAnchors): { material: Bytes; file: string | undefined }[] {
  const all = Array.isArray(ca) ? (ca as readonly Bytes[]) : [ca as Bytes];
  return all.map((material, place) => ({ material, file: files?.[place] }));
}

/** Bundles that were put together name many CAs twice, and every name goes into each handshake. */
function whole(read: readonly (readonly X509Certificate[])[]): X509Certificate[] {
  const known = new Map(read.flat().map((one) => [one.fingerprint256 + marksOf(one), one]));
  if (known.size > 0) return [...known.values()];
  const message = "ca holds no certificate; leave it out to trust Node's default store";
  throw new CredentialsError('malformed', message);
}

/** Marks decide on trust as well as the certificate does. */
export function marksOf({ trustMarks }: X509Certificate): string {
  return trustMarks === undefined ? '' : JSON.stringify(trustMarks);
}

function unreadableAnchors(file: string | undefined, error: unknown): unknown {
  if (!(error instanceof CredentialsError)) return malformed('the CA', file, error);
  if (file === undefined) return error;
  const { reason, message, hint, cause } = error;
  return new CredentialsError(reason, `${file}: ${message}`, { file, hint, cause });
}

/** Every list of a bundle. @throws CredentialsError 'malformed' */
export function readCrls(
  material: string | Uint8Array,
  file: string | undefined,
): CertificateRevocationList[] {
  try {
    return parseCrls(material);
  } catch (error) {
    throw malformed('the CRL', file, error);
  }
}

function malformed(what: string, file: string | undefined, cause: unknown): CredentialsError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const hint = cause instanceof MalformedDerError ? cause.hint : undefined;
  return new CredentialsError('malformed', `${what}${named(file)} can't be read: ${why}`, {
    file,
    cause,
    ...(hint !== undefined && { hint }),
  });
}

function named(file: string | undefined): string {
  return file === undefined ? '' : ` in ${file}`;
}
