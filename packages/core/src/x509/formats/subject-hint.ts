import { MalformedDerError } from '../../errors/malformed-der.js';
import { contextTag, DerReader, Tag } from '../der.js';
import { readName } from '../name.js';

/** The subject of a certificate that can't be read, where the damage lies behind it; for errors alone. */
export function subjectOf(der: Buffer): string | undefined {
  try {
    const certificate = inside(der, 0);
    const body = certificate === undefined ? undefined : inside(der, certificate);
    if (body === undefined) return undefined;
    const reader = new DerReader(der, body);
    if (reader.has(contextTag(0, 'constructed'))) reader.element('version');
    for (const what of ['serial number', 'algorithm', 'issuer', 'validity']) reader.element(what);
    const name = readName(reader, 'subject');
    return name.isEmpty ? undefined : name.toString();
  } catch (error) {
    if (error instanceof MalformedDerError) return undefined;
    throw error;
  }
}

/** Where a SEQUENCE's content starts; its length may go past the end. */
function inside(der: Buffer, at: number): number | undefined {
  const first = der[at + 1];
  if (der[at] !== Tag.sequence || first === undefined) return undefined;
  return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
}
