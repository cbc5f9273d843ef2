import { MalformedDerError } from '../../errors/malformed-der.js';
import { contextTag, DerReader, Tag } from '../der.js';
import { purposeOid } from '../oid.js';
import type { PemBlock } from '../pem.js';

/**
 * The certificate of a block; of `TRUSTED CERTIFICATE`, which openssl x509 -trustout writes, without the marks behind it.
 * @throws MalformedDerError where the marks take trust away that leaving them out would give
 */
export function leaveMarks({ label }: PemBlock, der: Buffer, place: string | undefined): Buffer {
  if (label !== 'TRUSTED CERTIFICATE') return der;
  const reader = new DerReader(der);
  const certificate = reader.element('certificate');
  if (reader.isDone || isTrustedForTls(reader.enter(Tag.sequence, 'trust settings'))) return certificate;
  const hint = 'If it is to be trusted all the same: openssl x509 -clrtrust -clrreject takes the marks away.';
  const error = new MalformedDerError(
    certificate.length,
    'openssl marked this certificate (TRUSTED CERTIFICATE) as not trusted for both TLS servers and clients',
    { hint },
  );
  throw place === undefined ? error : error.within(place);
}

/** X509_CERT_AUX of OpenSSL: purposes that are trusted (all, where none is named), then those that are refused. */
function isTrustedForTls(settings: DerReader): boolean {
  if (settings.has(Tag.sequence)) {
    const trusted = readOids(settings.enter(Tag.sequence, 'trusted purposes'));
    const isForBoth = [purposeOid.server, purposeOid.client].every((oid) => trusted.includes(oid));
    if (trusted.length > 0 && !isForBoth && !trusted.includes(purposeOid.any)) return false;
  }
  const rejected = contextTag(0, 'constructed');
  if (!settings.has(rejected)) return true;
  const refused = readOids(settings.enter(rejected, 'rejected purposes'));
  return ![purposeOid.server, purposeOid.client, purposeOid.any].some((oid) => refused.includes(oid));
}

function readOids(reader: DerReader): string[] {
  const oids: string[] = [];
  while (!reader.isDone) oids.push(reader.oid('purpose'));
  return oids;
}
