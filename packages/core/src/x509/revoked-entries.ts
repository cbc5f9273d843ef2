import { DerReader, Tag } from './der.js';
import { showSerial } from './serial.js';
import { extensionReader, readExtensions, type Extension } from './extensions.js';
import { extensionOid } from './oid.js';
import { readTime } from './time.js';

/** One revoked certificate of a CRL. */
export interface RevokedEntry {
  /** As `X509Certificate.serial`. */
  readonly serial: string;
  readonly date: Date;
  /** In RFC 5280's words, such as `keyCompromise`; undefined where the CRL gives none. */
  readonly reason: string | undefined;
}

/** CRLReason (RFC 5280 5.3.1) by number. */
const reasons: Readonly<Record<number, string>> = {
  0: 'unspecified',
  1: 'keyCompromise',
  2: 'cACompromise',
  3: 'affiliationChanged',
  4: 'superseded',
  5: 'cessationOfOperation',
  6: 'certificateHold',
  8: 'removeFromCRL',
  9: 'privilegeWithdrawn',
  10: 'aACompromise',
};

/**
 * The revoked certificates of a CRL by serial number. Each entry is checked once when the CRL is read; kept is its
 * place in the DER alone, so that a list of 100,000 costs a few megabytes; an entry is decoded when asked for.
 */
export class RevokedEntries implements Iterable<RevokedEntry> {
  readonly #bytes: Buffer;
  readonly #offsets = new Map<string, number>();
  /** A critical extension of an entry that isn't understood, so that the list proves nothing but revocations. */
  readonly unknownCritical: string | undefined;

  /** @param sequence the content of revokedCertificates, read to its end */
  constructor(sequence: DerReader | undefined, bytes: Buffer) {
    this.#bytes = bytes;
    let unknownCritical: string | undefined;
    while (sequence && !sequence.isDone) {
      const offset = sequence.position;
      const { serial, extensions } = readEntry(sequence);
      this.#offsets.set(serial.toString('latin1'), offset);
      unknownCritical ??= extensions.find(isUnknownCritical)?.oid;
    }
    this.unknownCritical = unknownCritical;
  }

  get size(): number {
    return this.#offsets.size;
  }

  /** The entry of a serial number, given as the bytes of its INTEGER. */
  find(serialBytes: Buffer): RevokedEntry | undefined {
    const offset = this.#offsets.get(serialBytes.toString('latin1'));
    return offset === undefined ? undefined : this.#decode(offset);
  }

  *[Symbol.iterator](): Iterator<RevokedEntry> {
    for (const offset of this.#offsets.values()) yield this.#decode(offset);
  }

  #decode(offset: number): RevokedEntry {
    const { serial, time, extensions } = readEntry(new DerReader(this.#bytes, offset));
    return { serial: showSerial(serial), date: new Date(time), reason: reasonOf(extensions) };
  }
}

function readEntry(sequence: DerReader): { serial: Buffer; time: number; extensions: readonly Extension[] } {
  const entry = sequence.enter(Tag.sequence, 'revoked certificate');
  const serial = entry.integer('revoked serial number');
  const time = readTime(entry, 'revocation date');
  const extensions = entry.isDone ? [] : [...readExtensions(entry, 'entry extensions').values()];
  entry.finish('revoked certificate');
  reasonOf(extensions);
  return { serial, time, extensions };
}

/** The certificate issuer of an indirect CRL changes whom an entry speaks of; such CRLs aren't relied on. */
function isUnknownCritical({ oid, critical }: Extension): boolean {
  return oid === extensionOid.certificateIssuer || (critical && oid !== extensionOid.reasonCode);
}

function reasonOf(extensions: readonly Extension[]): string | undefined {
  const extension = extensions.find(({ oid }) => oid === extensionOid.reasonCode);
  return extension && reasons[readReason(extensionReader(extension))];
}

function readReason(reader: DerReader): number {
  const reason = reader.smallInteger(10, 'revocation reason', Tag.enumerated);
  reader.finish('revocation reason');
  return reason;
}
