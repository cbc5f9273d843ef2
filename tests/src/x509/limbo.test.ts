import { describe, expect, it } from 'vitest';
import { judgeCase, limboCases, type LimboCase } from './limbo.js';
import { privateDeviations, webDeviations, type Deviation } from './limbo-deviations.js';

const cases = limboCases();

/** Names of cases in which being laxer would be a hole, whatever the reason given. */
const neverLax =
  /^(crl|cve|pathlen|pathological|rfc5280::(nc|pc|validity))::|ca-bit|basic-?constraints$|unknown-critical|duplicate|mismatching-signature|p192|dsa|weak-rsa|explicit-curve|mismatch-.*-san|wildcard-(embedded|not|match)|no-san|wrong-(san|eku)/;
const harmless = new Set([
  'rfc5280::pc::ica-noncritical-pc', // the constraints are enforced, only their marker is missing
  'crl::crlnumber-missing', // the list is complete, current and signed; only its number is missing
  'rfc5280::nc::permitted-dns-match-noncritical', // the same chain must be accepted elsewhere, and the constraint holds
  'rfc5280::root-non-critical-basic-constraints', // the flag is demanded and enforced, only its marker isn't
]);

function deviationsOf(rules: 'private' | 'web'): Record<string, Deviation['we']> {
  const deviating = cases.flatMap((limbo) => {
    const isAccepted = judgeCase(limbo, rules).ok;
    const isExpected = isAccepted === (limbo.expected_result === 'SUCCESS');
    return isExpected ? [] : [[limbo.id, isAccepted ? 'accept' : 'refuse'] as const];
  });
  return Object.fromEntries(deviating);
}

const listed = (deviations: Readonly<Record<string, Deviation>>): Record<string, Deviation['we']> =>
  Object.fromEntries(Object.entries(deviations).map(([id, { we }]) => [id, we]));

describe('the exam of x509-limbo', () => {
  it('has all of its 207 cases', () => {
    expect(cases).toHaveLength(207);
    expect(new Set(cases.map(({ id }) => id)).size).toBe(207);
  });

  it('is passed by the rules of the web in at least 195 cases, and the others are the listed ones', () => {
    const deviations = deviationsOf('web');
    expect(deviations).toEqual(listed(webDeviations));
    expect(cases.length - Object.keys(deviations).length).toBeGreaterThanOrEqual(195);
  });

  it('is passed by the private rules except in the listed cases', () => {
    expect(deviationsOf('private')).toEqual(listed(privateDeviations));
  });

  it('finds neither set of rules lax where that would be a hole', () => {
    const lax = [webDeviations, privateDeviations].flatMap((deviations) =>
      Object.entries(deviations).flatMap(([id, { we }]) => (we === 'accept' ? [id] : [])),
    );
    expect(lax.filter((id) => neverLax.test(id) && !harmless.has(id))).toEqual([]);
  });

  it('gets a reason, a position and a sentence with every refusal', () => {
    for (const limbo of cases) {
      const verdict = judgeCase(limbo, 'private');
      if (verdict.ok) continue;
      expect(verdict.message, limbo.id).toMatch(/.{20}/);
      expect(verdict.position, limbo.id).toBeGreaterThanOrEqual(1);
    }
  });
});

describe('the reasons given in the exam', () => {
  const reasonOf = (id: string): string | undefined => {
    const limbo = cases.find((candidate) => candidate.id === id);
    const verdict = limbo && judgeCase(limbo, 'private');
    return verdict && !verdict.ok ? `${verdict.reason} at ${verdict.position}` : undefined;
  };

  it.each([
    ['rfc5280::validity::expired-leaf', 'expired at 1'],
    ['rfc5280::validity::expired-intermediate', 'expired at 2'],
    ['rfc5280::validity::expired-root', 'expired at 3'],
    ['rfc5280::validity::not-yet-valid-1-second', 'not-yet-valid at 1'],
    ['rfc5280::chain-untrusted-root', 'unknown-issuer at 3'],
    ['rfc5280::eku::ee-wrong-eku', 'wrong-usage at 1'],
    ['rfc5280::nc::excluded-dns-match', 'name-constraint at 1'],
    ['rfc5280::duplicate-extensions', 'malformed at 1'],
    ['pathlen::intermediate-violates-pathlen-0', 'path-length at 2'],
    ['webpki::san::mismatch-domain-san', 'wrong-name at 1'],
    ['webpki::san::no-san', 'wrong-name at 1'],
    ['webpki::forbidden-weak-rsa-in-leaf', 'weak at 1'],
    ['webpki::forbidden-weak-rsa-key-in-root', 'weak at 2'],
    ['crl::revoked-certificate-with-crl', 'revoked at 1'],
    ['crl::issuer-missing-crlsign', 'revocation-unknown at 1'],
  ])('of %s is %s', (id, reason) => {
    expect(reasonOf(id)).toBe(reason);
  });

  it.each(['webpki::forbidden-dsa-root', 'webpki::forbidden-weak-rsa-key-in-root'])(
    "of %s stays where another of the certificates can't be read",
    (id) => {
      const one = cases.find((each) => each.id === id) as LimboCase;
      const garbage = '-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n';
      const untrusted = [...one.untrusted_intermediates, garbage];
      const verdict = judgeCase({ ...one, untrusted_intermediates: untrusted }, 'private');
      expect(verdict).toEqual(judgeCase(one, 'private'));
      expect(verdict).toMatchObject({ reason: 'weak' });
    },
  );
});
