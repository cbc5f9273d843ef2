/** The record of an issued certificate, and where its files are put. */
import { fileName, flag, withDefault, type OptionReaders } from '@knsock/core/options';
import type { CertificateKind } from './extensions.js';

/** One certificate that an authority has signed. */
export interface IssuedRecord {
  /** Lower-case hex without leading zero bytes, as core's `X509Certificate.serial`. */
  readonly serial: string;
  /** Its use. */
  readonly kind: CertificateKind | 'authority';
  /** The names as text, and the common name if there is one. */
  readonly names: readonly string[];
  /** Of its subject. */
  readonly commonName: string | undefined;
  /** The first moment of its validity. */
  readonly notBefore: Date;
  /** The last moment of its validity. */
  readonly notAfter: Date;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprint: string;
  /** The reference given by the signing policy. */
  readonly reference?: string | undefined;
}

/** Where a store puts the files of an issued certificate. */
export interface Placement {
  /** Name of the files without their endings; by default made from the first name. `false` writes none. */
  readonly file?: string | false | undefined;
  /** Replaces files of that name; default false. */
  readonly overwrite?: boolean | undefined;
}

/** How each of them is read, and its default. */
export const placementOptions = {
  file: readFileName,
  overwrite: withDefault<boolean>(flag, false),
} as const satisfies OptionReaders<Placement>;

function readFileName(option: string, value: string | false | undefined): string | false | undefined {
  return value === false ? false : fileName(option, value);
}

/** The files in the store. */
export interface IssuedFiles {
  /** Leaf first, then its issuers without the root: what a server loads as `certFile`. */
  readonly certFile: string;
  /** Absent if a request was signed: the requester has the key. */
  readonly keyFile?: string | undefined;
}
