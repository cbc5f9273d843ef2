import { expect, it } from 'vitest';
import { parseProfile } from '../policy/tls-profile.js';
import { makeCertificate } from '../testing/made-certificates.js';
import { createCredentials } from './credentials.js';
import { secureContext } from './secure-context.js';

const ca = makeCertificate({ commonName: 'CA', isAuthority: true });
const groups = ['X25519', 'P-256', 'P-384', 'P-521'];
/** 20 profiles. */
const profiles = groups.flatMap((group) =>
  [
    ...groups.filter((other) => other !== group).map((other) => `${group}:${other}`),
    group,
    `${group}:X448`,
  ].map((list) => parseProfile({ groups: list })),
);

it('makes one context for a profile, keeps 16 for credentials at most, and makes a forgotten one anew', () => {
  const credentials = createCredentials({ ca: ca.pem });
  const context = (n: number) =>
    secureContext(credentials, profiles[n] as (typeof profiles)[0], { partialChain: false, extra: {} });
  const made = Array.from({ length: 16 }, (_, n) => context(n));
  expect(Array.from({ length: 16 }, (_, n) => context(n) === made[n])).not.toContain(false);
  const seventeenth = context(16);
  expect(context(16)).toBe(seventeenth);
  const again = context(0);
  expect(again).not.toBe(made[0]);
  expect(context(0)).toBe(again);
});
