/** Serial numbers in core's format: lower-case hex without leading zero bytes. */
import { randomBytes } from 'node:crypto';

/** A serial number of 128 random bits: unpredictable and unique. */
export function randomSerial(): string {
  return normalizeSerial(randomBytes(16).toString('hex'));
}

/** The canonical form of a serial, however it was written: `0a:1B…`, `0x0a1b…`, `A1B…`. */
export function normalizeSerial(text: string): string {
  const digits = text.replace(/^0x/i, '').replaceAll(':', '').replace(/^0+/, '').toLowerCase();
  return digits === '' ? '00' : digits.padStart(digits.length + (digits.length % 2), '0');
}

/** The content bytes of the DER INTEGER: a leading zero if the first bit would make it negative. */
export function serialBytes(serial: string): Buffer {
  const bytes = Buffer.from(serial, 'hex');
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
}
