import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { parseProfile } from './tls-profile.js';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });

it("what OpenSSL doesn't know spoils nothing for the key that is read next", () => {
  // Before the hybrid group was looked for, and after a name that a program got wrong.
  parseProfile();
  expect(createPrivateKey(pem).type).toBe('private');
  expect(() => parseProfile({ groups: 'P-257' })).toThrow(/OpenSSL can't use 'P-257'/);
  expect(createPrivateKey(pem).type).toBe('private');
});
