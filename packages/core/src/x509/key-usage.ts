import { Tag, type DerReader } from './der.js';

const bitNames = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

/** What a key may be used for (RFC 5280 4.2.1.3). */
export type KeyUsage = (typeof bitNames)[number];

/** Reads the key usage extension: the names of the bits that are set, at least one. */
export function readKeyUsage(reader: DerReader): ReadonlySet<KeyUsage> {
  const { bytes } = reader.bitString('key usage');
  const usages = bitNames.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
  if (usages.length === 0) reader.fail('key usage allows nothing');
  return new Set(usages);
}

/** Reads the extended key usage extension: purposes as identifiers, at least one. */
export function readExtendedKeyUsage(reader: DerReader): readonly string[] {
  const sequence = reader.enter(Tag.sequence, 'extended key usage');
  if (sequence.isDone) sequence.fail('extended key usage is empty');
  const purposes: string[] = [];
  while (!sequence.isDone) purposes.push(sequence.oid('extended key usage'));
  return purposes;
}
