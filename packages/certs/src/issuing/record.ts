/** What is known of a certificate that was issued: its record, and where its files are put. */
import { anything, flag, type OptionReaders } from '@knsock/core/options';
import type { CertificateKind } from './extensions.js';

/** One certificate that an authority has signed. */
export interface IssuedRecord {
  /** Lower-case hex without leading zero bytes, as core's `X509Certificate.serial`. */
  readonly serial: string;
  /** What it is for. */
  readonly kind: CertificateKind | 'authority';
  /** The names as text, and the common name where there is one. */
  readonly names: readonly string[];
  /** Of its subject. */
  readonly commonName: string | undefined;
  /** The first moment of its validity. */
  readonly notBefore: Date;
  /** The last moment of its validity. */
  readonly notAfter: Date;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprint: string;
  /** What the signing policy said that it was signed for. */
  readonly reference?: string | undefined;
}

/** Where a store puts the files of an issued certificate. */
export interface Placement {
  /** Name of the files without their endings; by default made from the first name. `false` places none. */
  readonly file?: string | false | undefined;
  /** Replaces files of that name; default false. */
  readonly overwrite?: boolean | undefined;
}

/** For `checkOptions`; a wrong name is refused where files are named. */
export const placementReaders = {
  file: anything,
  overwrite: flag,
} as const satisfies OptionReaders<Placement>;

/** Where a store has put them. */
export interface IssuedFiles {
  /** Leaf first, then its issuers without the root: what a server loads as `certFile`. */
  readonly certFile: string;
  /** Absent where a request was signed: its maker has the key. */
  readonly keyFile?: string | undefined;
}
