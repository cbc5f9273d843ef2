import { contextTag, DerReader, Tag } from '../der.js';
import type { PemBlock } from '../pem.js';

/**
 * What `openssl x509 -trustout` writes behind a certificate (X509_CERT_AUX): for which purposes it is trusted. Purposes
 * are identifiers, such as `1.3.6.1.5.5.7.3.1` for servers.
 */
export interface TrustMarks {
  /** Undefined: whatever isn't rejected. */
  readonly trusted: readonly string[] | undefined;
  /** Usages (object identifiers) that it isn't trusted for. */
  readonly rejected: readonly string[];
}

/** The certificate of a block, and the marks of a `TRUSTED CERTIFICATE`. @throws MalformedDerError */
export function readMarked({ label }: PemBlock, der: Buffer): { der: Buffer; marks: TrustMarks | undefined } {
  if (label !== 'TRUSTED CERTIFICATE') return { der, marks: undefined };
  const reader = new DerReader(der);
  const certificate = reader.element('certificate');
  if (reader.isDone) return { der: certificate, marks: undefined };
  const marks = readMarks(reader.enter(Tag.sequence, 'trust settings'));
  reader.finish('trust settings');
  return { der: certificate, marks };
}

/** The marks of one certificate that is there several times: what any of them refuses is refused. */
export function commonMarks(
  one: TrustMarks | undefined,
  other: TrustMarks | undefined,
): TrustMarks | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const trusted =
    one.trusted === undefined || other.trusted === undefined
      ? (one.trusted ?? other.trusted)
      : one.trusted.filter((oid) => other.trusted?.includes(oid));
  return { trusted, rejected: [...one.rejected, ...other.rejected] };
}

/** An alias, a key identifier and other things may follow, which say nothing of trust. */
function readMarks(settings: DerReader): TrustMarks {
  const trusted = settings.has(Tag.sequence)
    ? readOids(settings.enter(Tag.sequence, 'trusted purposes'))
    : undefined;
  const tag = contextTag(0, 'constructed');
  const rejected = settings.has(tag) ? readOids(settings.enter(tag, 'rejected purposes')) : [];
  return { trusted, rejected };
}

function readOids(reader: DerReader): string[] {
  const oids: string[] = [];
  while (!reader.isDone) oids.push(reader.oid('purpose'));
  return oids;
}
