import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refuseDepth } from './json-depth.js';

const refused = (text: string, most: number): boolean => {
  try {
    refuseDepth(Buffer.from(text), most);
    return false;
  } catch {
    return true;
  }
};

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('the depth of JSON', () => {
  it('is counted as the values are nested, whatever their strings contain', () => {
    const strings = fc.oneof(fc.string(), fc.stringMatching(/^[[\]{}"\\]*$/));
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { depthSize: 'large', withCrossShrink: true },
        strings,
        fc.constantFrom(0, true, null),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(strings, tie('node'), { maxKeys: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(value, fc.nat({ max: 6 }), (json, most) => {
        expect(refused(JSON.stringify(json), most)).toBe(depthOf(json) > most);
      }),
      { numRuns: 500 },
    );
  });

  it('is judged at the first bracket that is too much, in text of any length', () => {
    expect(() => {
      refuseDepth(Buffer.from('['.repeat(1 << 20)), 64);
    }).toThrow("a message's JSON is nested deeper than 64 levels, from byte 65 on");
  });

  it("is no matter of text that isn't JSON", () => {
    for (const text of ['"'.repeat(100), '"\\', ']]]]', '}{}{', '']) expect(refused(text, 1)).toBe(false);
  });
});
