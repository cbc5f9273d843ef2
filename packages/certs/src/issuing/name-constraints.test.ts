import { describe, expect, it } from 'vitest';
import { CertificateError } from '../errors.js';
import { constraintAgainst, parseNameConstraints } from './name-constraints.js';
import { parseName } from './names.js';

const judge = (options: Parameters<typeof parseNameConstraints>[0], name: string) => {
  const constraints = parseNameConstraints(options);
  return constraints === undefined ? undefined : constraintAgainst(constraints, parseName(name));
};

describe('name constraints', () => {
  it.each(['example.test', 'a.example.test', '*.example.test', 'A.B.Example.test'])(
    'permit %s below example.test',
    (name) => {
      expect(judge({ permitted: ['example.test'] }, name)).toBeUndefined();
    },
  );

  it.each([
    ['example.test', 'badexample.test', 'is outside example.test'],
    ['example.test', '10.0.0.1', 'is excluded by 0.0.0.0/0'],
    ['example.test', '2001:db8::1', 'is excluded by ::/0'],
    ['10.0.0.0/8', 'example.test', 'is excluded by every DNS name'],
    ['10.0.0.0/8', '11.0.0.1', 'is outside 10.0.0.0/8'],
    ['10.0.0.0/8', '::1', 'is outside 10.0.0.0/8'],
    ['2001:db8::/33', '2001:db8:8000::1', 'is outside 2001:db8::/33'],
    ['spiffe://example.test', 'spiffe://other.test/a', 'is outside example.test'],
    ['@example.test', 'a@sub.example.test', 'is outside example.test'],
    ['ann@example.test', 'bob@example.test', 'is outside ann@example.test'],
    ['@.example.test', 'ann@example.test', 'is outside .example.test'],
    ['spiffe://.example.test', 'spiffe://example.test/a', 'is outside .example.test'],
    ['spiffe://.example.test', 'https://badexample.test/', 'is outside .example.test'],
  ])('permitting %s stop %s', (permitted, name, why) => {
    expect(judge({ permitted: [permitted] }, name)).toBe(why);
  });

  it('give exclusions precedence over permissions', () => {
    const options = { permitted: ['example.test'], excluded: ['secret.example.test'] };
    expect(judge(options, 'a.example.test')).toBeUndefined();
    expect(judge(options, 'a.secret.example.test')).toBe('is excluded by secret.example.test');
  });

  it('exclude a wildcard that stands for an excluded host as well', () => {
    const options = { excluded: ['secret.example.test'] };
    expect(judge(options, '*.example.test')).toBe('is excluded by secret.example.test');
    expect(judge(options, '*.other.test')).toBeUndefined();
    expect(judge({ excluded: ['a.secret.example.test'] }, '*.example.test')).toBeUndefined();
  });

  it.each([
    ['@.example.test', 'ann@a.example.test'],
    ['spiffe://.example.test', 'spiffe://a.b.example.test/db'],
    ['spiffe://example.test', 'https://ann@Example.test:8443/'],
    ['Ann@EXAMPLE.test', 'Ann@example.test'],
  ])('permitting %s allow %s', (permitted, name) => {
    expect(judge({ permitted: [permitted] }, name)).toBeUndefined();
  });

  it('allow everything else where only exclusions are given', () => {
    expect(judge({ excluded: ['example.test'] }, '10.0.0.1')).toBeUndefined();
    expect(judge({ excluded: [] }, 'anything.test')).toBeUndefined();
  });

  it.each([
    '*.example.test',
    'spiffe://*.a.test',
    '@*.a.test',
    '10.0.0.0/33',
    '10.0.0.1/8',
    '10.0.0.0/',
    'example.test/8',
    '::/129',
    '',
  ])('refuse %s', (text) => {
    expect(() => parseNameConstraints({ permitted: [text] })).toThrow(CertificateError);
  });
});
