import { describe, expect, it } from 'vitest';
import { createAuthority } from '../authorities/authority.js';
import { fullChain } from './chain.js';

describe('a chain', () => {
  it('is ordered, without duplicates', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const middle = await root.intermediate({ commonName: 'Middle', pathLength: 1 });
    const low = await middle.intermediate({ commonName: 'Low' });
    const { certificate } = await low.issue({ kind: 'server', names: ['a.test'] });
    const pieces = [middle.certificate, root.certificate, certificate, low.certificate, middle.certificate];
    expect(fullChain(pieces.join('some text between\n'))).toBe(certificate + low.chain);
    expect(fullChain(pieces.join(''), { root: false })).toBe(
      certificate + low.certificate + middle.certificate,
    );
  });

  it('may be one certificate, its own root', async () => {
    const { certificate } = await createAuthority({ commonName: 'Root' });
    expect(fullChain(certificate, { root: false })).toBe(certificate);
  });

  it('is refused if an intermediate is missing, or two leaves are mixed', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const low = await (
      await root.intermediate({ commonName: 'Middle', pathLength: 1 })
    ).intermediate({ commonName: 'Low' });
    const [one, two] = [
      await low.issue({ kind: 'server', names: ['a.test'] }),
      await low.issue({ kind: 'server', names: ['b.test'] }),
    ];
    for (const pieces of [one.certificate + root.certificate, one.certificate + two.certificate]) {
      expect(() => fullChain(pieces)).toThrow(/issued none of the others/);
    }
  });
});
