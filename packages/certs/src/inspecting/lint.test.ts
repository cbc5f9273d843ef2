import { describe, expect, it } from 'vitest';
import { createAuthority } from '../issuing/authority.js';
import { createSelfSigned } from '../issuing/issue.js';
import { lint } from './lint.js';

const rulesOf = async (...args: Parameters<typeof lint>) =>
  (await lint(...args)).map(({ rule, index }) => `${index} ${rule}`);
const fixture = (name: string) => ({ file: new URL(`../fixtures/${name}`, import.meta.url).pathname });

describe('lint', () => {
  it('has nothing against what this package issues', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const intermediate = await root.intermediate({
      commonName: 'Below',
      nameConstraints: { permitted: ['test'] },
    });
    for (const kind of ['server', 'client', 'peer'] as const) {
      expect(await rulesOf((await intermediate.issue({ kind, names: ['a.test'] })).chain)).toEqual([]);
    }
    expect(await rulesOf(root.certificate)).toEqual([]);
    expect(await rulesOf((await createSelfSigned({ names: ['a.test'] })).certificate)).toEqual([]);
  });

  it('finds dates, a long life, a wildcard and a name that isn’t listed', async () => {
    const options = { names: ['*.test'], commonName: 'other.test', days: 400, maxDays: 400 };
    const { certificate } = await createSelfSigned(options);
    const odd = ['0 long-validity', '0 name-not-listed', '0 broad-wildcard'];
    expect(await rulesOf(certificate)).toEqual(odd);
    expect(await rulesOf(certificate, { at: new Date(Date.now() + 401 * 86_400_000) })).toEqual([
      '0 expired',
      ...odd,
    ]);
    expect(await rulesOf(certificate, { at: new Date(0) })).toEqual(['0 not-yet-valid', ...odd]);
  });

  it('finds a chain out of order, and a root sent along', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const intermediate = await root.intermediate({ commonName: 'Below' });
    const { certificate } = await intermediate.issue({ kind: 'server', names: ['a.test'] });
    expect(await rulesOf(certificate + root.certificate + intermediate.certificate)).toEqual([
      '0 chain-order',
      '1 chain-order',
      '1 root-in-chain',
    ]);
  });

  it.each([
    ['openssl-recipe.crt', ['0 old-version', '0 no-names', '0 no-extended-usage', '0 long-validity']],
    [
      'weak-rsa-sha1.crt',
      ['0 weak-key', '0 weak-signature', '0 expired', '0 no-extended-usage', '0 no-signing'],
    ],
    ['bare-authority.crt', ['0 no-key-usage', '0 soft-authority', '0 no-key-identifier']],
  ])('finds what is wrong with %s', async (file, rules) => {
    expect(await rulesOf(fixture(file), { at: new Date('2027-01-01') })).toEqual(rules);
  });

  it('says what to do about each finding', async () => {
    for (const { message, fix } of await lint(fixture('weak-rsa-sha1.crt'))) {
      expect(message.length).toBeGreaterThan(10);
      expect(fix).toMatch(/\.$/);
    }
  });
});
