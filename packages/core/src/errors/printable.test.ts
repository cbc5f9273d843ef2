import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EasySocketError } from './base.js';
import { printable, printableJson, printableLines } from './printable.js';

/** What terminals act on or don't show: by category, and fillers that look like spaces or like nothing. */
const acting = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|\u034f|\u115f|\u3164|\ufe0f|\uffa0/u;

const marks = [
  '\0',
  '\u001b',
  '\u0007',
  '\n',
  '\r',
  '\t',
  '\u007f',
  '\u009b',
  '\u202e',
  '\u2066',
  '\u200e',
  '\u2028',
  '\u200b',
  '\ud800',
];
const text = fc.string({ unit: fc.constantFrom(...marks, '[', ';', 'a', '–', 'é', '日', '😀') });

describe('printable text', () => {
  it.each([
    ['\u001b[2J', String.raw`\u{1b}[2J`],
    ['a\r\nb\tc', String.raw`a\u{d}\u{a}b\u{9}c`],
    ['\u009b31m\u007f', String.raw`\u{9b}31m\u{7f}`],
    ['\u202Eexe\u2066\u200F\u2028', String.raw`\u{202e}exe\u{2066}\u{200f}\u{2028}`],
    ['a\u200bb\ufeff\u3164\u{e0041}', String.raw`a\u{200b}b\u{feff}\u{3164}\u{e0041}`],
    ['\ud800x', String.raw`\u{d800}x`],
    ['Zürich 日本 – “😀”', 'Zürich 日本 – “😀”'],
  ])('of %j is %s', (raw, shown) => {
    expect(printable(raw)).toBe(shown);
  });

  it('has nothing that acts, in lines nothing but line feeds and tabs, and JSON means the same', () => {
    fc.assert(
      fc.property(text, (raw) => {
        expect(printable(raw)).not.toMatch(acting);
        expect(printable(printable(raw))).toBe(printable(raw));
        expect(printableLines(raw).replace(/[\n\t]/g, '')).not.toMatch(acting);
        expect(printableJson({ raw })).not.toMatch(acting);
        expect(JSON.parse(printableJson({ raw }))).toEqual({ raw });
      }),
    );
  });

  it('is what every error says, in its message, hint and stack', () => {
    const error = new EasySocketError('KNSOCK_TEST', 'the name "\u001b]0;owned\u0007"\nforged', {
      hint: 'Remove \u202e.',
    });
    expect(error.message).toBe(String.raw`the name "\u{1b}]0;owned\u{7}"\u{a}forged`);
    expect(error.hint).toBe(String.raw`Remove \u{202e}.`);
    expect(error.stack?.split('\n')[0]).not.toMatch(acting);
  });
});
