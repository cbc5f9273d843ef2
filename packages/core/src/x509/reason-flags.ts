import { Tag, type DerReader } from './der.js';

/** A set of reasons for revocation as bits, numbered as RFC 5280 4.2.1.13 numbers them. */
export type ReasonSet = number;

const names = [
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aACompromise',
] as const;

/** Every reason; bit 0 means nothing any more. */
export const ALL_REASONS: ReasonSet = names.reduce((set, _name, index) => set | (2 << index), 0);

/** Reads ReasonFlags. */
export function readReasonFlags(reader: DerReader, what: string, tag: number = Tag.bitString): ReasonSet {
  const { bytes } = reader.bitString(what, tag);
  const has = (bit: number): boolean => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
  return names.reduce((set, _name, index) => (has(index + 1) ? set | (2 << index) : set), 0);
}

/** The names of a set, for a sentence. */
export function showReasons(set: ReasonSet): string {
  return names.filter((_name, index) => (set & (2 << index)) !== 0).join(', ') || 'none';
}
