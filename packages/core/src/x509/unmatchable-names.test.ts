import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { X509Certificate } from './certificate.js';
import { matchesName } from './host-name.js';
import { unmatchableNames } from './unmatchable-names.js';

const named = (kind: 'dns' | 'email' | 'uri', value: string) =>
  ({ subjectAltNames: [{ kind, value }] }) as unknown as X509Certificate;

describe('a name that nobody can match', () => {
  it.each([
    ['https://a.test', 'is a URL'],
    ['a.test:8443', 'has a port'],
    ['127.0.0.1', 'IP address'],
    ['::1', 'IP address'],
    ['a.test\0.b.test', 'NUL'],
    ['a.test ', 'has a blank'],
    ['a.test.', 'ends with a dot'],
    ['.a.test', 'begins with a dot'],
    ['f*.a.test', 'leftmost label'],
    ['a.*.test', 'leftmost label'],
    ['*.*.test', 'leftmost label'],
    ['*', 'leftmost label'],
    ['*.com', 'top-level domain'],
    ['a@b.test', 'e-mail address'],
    ['a.test/x', 'has a path'],
    ['a..test', 'empty label'],
    ['-a.test', 'form'],
    [`${'a'.repeat(64)}.test`, 'over 63'],
    ['', 'is empty'],
  ])('is %j', (name, problem) => {
    expect(unmatchableNames(named('dns', name))[0]?.problem).toContain(problem);
    expect(matchesName(named('dns', name), name)).toBe(false);
  });

  it.each(['a.test', '*.a.test', 'localhost', 'my_db', 'xn--bcher-kva.test', 'A.TEST'])(
    'is not %s',
    (name) => {
      expect(unmatchableNames(named('dns', name))).toEqual([]);
      expect(matchesName(named('dns', name), name.replace('*', 'x'))).toBe(true);
    },
  );

  it('names exactly those that the comparison of names never accepts', () => {
    const unit = fc.constantFrom('a', 'b', '.', '*', '-', '_', ':', '1', ' ', '/', '@', '\0');
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 12 }), (name) => {
        const certificate = named('dns', name);
        const matches = matchesName(certificate, name.replace(/^\*(?=\.)/, 'x'));
        expect(unmatchableNames(certificate).length === 0).toBe(matches);
      }),
    );
  });

  it('may be a mailbox or a URI too', () => {
    expect(unmatchableNames(named('email', 'a.test'))).toHaveLength(1);
    expect(unmatchableNames(named('email', 'a@b.test'))).toEqual([]);
    expect(unmatchableNames(named('uri', 'a.test/x'))).toHaveLength(1);
    expect(unmatchableNames(named('uri', 'spiffe://test/x'))).toEqual([]);
  });
});
