import type { DerReader } from './der.js';

const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

/**
 * Reads a Time as RFC 5280 4.1.2.5 writes it: UTCTime or GeneralizedTime, to the second, in UTC.
 * @returns milliseconds since 1970
 */
export function readTime(reader: DerReader, what: string): number {
  const isUtc = reader.has(UTC_TIME);
  const content = reader.content(isUtc ? UTC_TIME : GENERALIZED_TIME, what);
  const yearDigits = isUtc ? 2 : 4;
  if (content.length !== yearDigits + 11 || content.at(-1) !== 0x5a)
    reader.fail(`${what} isn't a time in UTC to the second`);
  const time = toMilliseconds(content, yearDigits);
  if (Number.isNaN(time)) reader.fail(`${what} is no date`);
  return time;
}

export const isTime = (reader: DerReader): boolean => reader.has(UTC_TIME) || reader.has(GENERALIZED_TIME);

/** A time as people read it: `2026-03-01T12:00:00Z`. */
export function showTime(time: Date | number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

function toMilliseconds(content: Buffer, yearDigits: number): number {
  const written = digits(content, 0, yearDigits);
  const year = yearDigits === 4 ? written : written + (written < 50 ? 2000 : 1900);
  const month = digits(content, yearDigits, 2);
  const day = digits(content, yearDigits + 2, 2);
  const hour = digits(content, yearDigits + 4, 2);
  const minute = digits(content, yearDigits + 6, 2);
  const second = digits(content, yearDigits + 8, 2);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDate = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!isDate || !(hour <= 23 && minute <= 59 && second <= 59)) return NaN;
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
}

function digits(content: Buffer, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at++) {
    const digit = (content[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value;
}
