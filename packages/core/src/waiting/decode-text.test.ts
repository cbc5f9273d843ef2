import { expect, it } from 'vitest';
import { decodeText } from './decode-text.js';

const text = 'pässwörd €\r\n';
const wide = Buffer.from(`\uFEFF${text}`, 'utf16le');

it.each([
  ['UTF-8', Buffer.from(text)],
  ['UTF-8 with a mark', Buffer.from(`\uFEFF${text}`)],
  ['UTF-16 as PowerShell writes it', wide],
  ['UTF-16 with the high byte first', Buffer.from(wide).swap16()],
])('reads %s', (_form, bytes) => {
  expect(decodeText(bytes)).toBe(text);
});

it('reads bytes of other encodings, and a last byte too few, without an error', () => {
  expect(decodeText(Buffer.from('p\xe4ss', 'latin1'))).toBe('p\uFFFDss');
  expect(decodeText(wide.subarray(0, -1)).startsWith('pässwörd')).toBe(true);
  expect(decodeText(Buffer.alloc(0))).toBe('');
});
