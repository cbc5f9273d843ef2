import { DerReader, Tag } from './der.js';
import { showSerial } from './serial.js';
import { extensionReader, readExtensions, type Extension } from './extensions.js';
import { readGeneralNames } from './general-names.js';
import type { DistinguishedName } from './name.js';
import { extensionOid } from './oid.js';
import { readTime } from './time.js';

/** One revoked certificate of a CRL. */
export interface RevokedEntry {
  /** As `X509Certificate.serial`. */
  readonly serial: string;
  /** Since when it is revoked. */
  readonly date: Date;
  /** Who issued the certificate, where an indirect list names another authority than its own. */
  readonly issuer?: DistinguishedName | undefined;
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
 * The revoked certificates of a CRL by issuer and serial number. Each entry is checked once when the CRL is read; kept is
 * its place in the DER alone, so that a list of 100,000 costs a few megabytes; an entry is decoded when asked for.
 */
export class RevokedEntries implements Iterable<RevokedEntry> {
  readonly #bytes: Buffer;
  /** Places by serial number: under '' those of the CRL's own issuer, under its key those of another. */
  readonly #offsets = new Map<string, Map<string, number>>();
  /** The names of other issuers, by their keys. */
  readonly #issuers = new Map<string, DistinguishedName>();
  /** A critical extension of an entry that isn't understood, so that the list proves nothing but revocations. */
  readonly unknownCritical: string | undefined;
  /** Whether an entry names the certificate's issuer, which only indirect lists may (RFC 5280 5.3.3). */
  readonly namesIssuers: boolean;

  /** @param sequence the content of revokedCertificates, read to its end */
  constructor(sequence: DerReader | undefined, bytes: Buffer) {
    this.#bytes = bytes;
    let unknownCritical: string | undefined;
    let issuer = OWN;
    while (sequence && !sequence.isDone) {
      const offset = sequence.position;
      const { serial, extensions } = readEntry(sequence);
      // An issuer that is named holds for the entries after it too.
      const named = issuerOf(extensions);
      if (named?.name !== undefined) this.#issuers.set(named.key, named.name);
      issuer = named?.key ?? issuer;
      this.#place(issuer, serial, offset);
      unknownCritical ??= extensions.find(isUnknownCritical)?.oid;
    }
    this.unknownCritical = unknownCritical;
    this.namesIssuers = issuer !== OWN;
  }

  /** How many there are. */
  get size(): number {
    return [...this.#offsets.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * The entry of a serial number, given as the bytes of its INTEGER.
   * @param issuer who issued the certificate, where that isn't the CRL's own issuer
   */
  find(serialBytes: Buffer, issuer?: DistinguishedName): RevokedEntry | undefined {
    const offset = this.#offsets.get(issuer?.key ?? OWN)?.get(serialBytes.toString('latin1'));
    return offset === undefined ? undefined : this.#decode(offset, issuer?.key);
  }

  *[Symbol.iterator](): Iterator<RevokedEntry> {
    for (const [issuer, offsets] of this.#offsets) {
      for (const offset of offsets.values()) yield this.#decode(offset, issuer);
    }
  }

  #place(issuer: string, serial: Buffer, offset: number): void {
    const offsets = this.#offsets.get(issuer) ?? new Map<string, number>();
    this.#offsets.set(issuer, offsets);
    offsets.set(serial.toString('latin1'), offset);
  }

  #decode(offset: number, key: string = OWN): RevokedEntry {
    const { serial, time, extensions } = readEntry(new DerReader(this.#bytes, offset));
    const entry = { serial: showSerial(serial), date: new Date(time), reason: reasonOf(extensions) };
    const issuer = this.#issuers.get(key);
    return issuer === undefined ? entry : { ...entry, issuer };
  }
}

const OWN = '';

function readEntry(sequence: DerReader): { serial: Buffer; time: number; extensions: readonly Extension[] } {
  const entry = sequence.enter(Tag.sequence, 'revoked certificate');
  const serial = entry.integer('revoked serial number');
  const time = readTime(entry, 'revocation date');
  const extensions = entry.isDone ? [] : [...readExtensions(entry, 'entry extensions').values()];
  entry.finish('revoked certificate');
  reasonOf(extensions);
  return { serial, time, extensions };
}

const isUnknownCritical = ({ oid, critical }: Extension): boolean =>
  critical && oid !== extensionOid.reasonCode && oid !== extensionOid.certificateIssuer;

/** Certificates' issuers have one directory name; an entry with another kind of name speaks of nobody. */
function issuerOf(
  extensions: readonly Extension[],
): { key: string; name: DistinguishedName | undefined } | undefined {
  const extension = extensions.find(({ oid }) => oid === extensionOid.certificateIssuer);
  if (extension === undefined) return undefined;
  const reader = extensionReader(extension);
  const names = readGeneralNames(reader, 'certificate issuer');
  reader.finish('certificate issuer');
  const [name] = names.flatMap((one) => (one.kind === 'directory' ? [one.value] : []));
  return { key: name?.key ?? '(no directory name)', name };
}

/** A number that RFC 5280 doesn't know revokes as well; why, isn't known then. */
function reasonOf(extensions: readonly Extension[]): string | undefined {
  const extension = extensions.find(({ oid }) => oid === extensionOid.reasonCode);
  return extension && reasons[readReason(extensionReader(extension))];
}

function readReason(reader: DerReader): number {
  const reason = reader.smallInteger(MAX_REASON, 'revocation reason', Tag.enumerated);
  reader.finish('revocation reason');
  return reason;
}

const MAX_REASON = 0xffff;
