import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CertificateRevocationList } from '../x509/index.js';
import { laterLists } from './later-lists.js';

/** Of a list nothing counts here but its series, its date and its number. */
const listOf = (series: string, second: number, number: number): CertificateRevocationList =>
  ({
    der: Buffer.from(`${series}/${second}/${number}`),
    issuer: { key: series },
    thisUpdate: new Date(second * 1_000),
    number: number.toString(16),
  }) as unknown as CertificateRevocationList;
const names = (lists: readonly CertificateRevocationList[]): string[] => lists.map(({ der }) => String(der));

describe('lists in use', () => {
  const [old, late] = [listOf('a', 1, 1), listOf('a', 2, 2)];

  it('stay where the file has only an older one', () => {
    expect(laterLists([old], [late])).toEqual([late]);
    expect(laterLists([listOf('a', 2, 1)], [late])).toEqual([late]);
    expect(laterLists([old, listOf('a', 9, 9)], [late])).toEqual([late]);
  });

  it('go where the file has them, a later one, or none of their series', () => {
    expect(laterLists([late], [late])).toEqual([]);
    expect(laterLists([late], [old])).toEqual([]);
    expect(laterLists([listOf('b', 1, 1)], [late])).toEqual([]);
    expect(laterLists([], [late])).toEqual([]);
  });

  it('stay one of a series, the latest, however often a file is set back', () => {
    const list = fc.tuple(fc.constantFrom('a', 'b'), fc.nat(5), fc.nat(5)).map((parts) => listOf(...parts));
    fc.assert(
      fc.property(fc.array(fc.array(list, { maxLength: 3 }), { minLength: 1, maxLength: 6 }), (files) => {
        let inUse: readonly CertificateRevocationList[] = [];
        for (const read of files) {
          const kept = laterLists(read, inUse);
          for (const series of ['a', 'b'])
            expect(new Set(names(kept.filter(({ issuer }) => issuer.key === series))).size).toBeLessThan(2);
          inUse = [...read, ...kept];
        }
      }),
    );
  });
});
