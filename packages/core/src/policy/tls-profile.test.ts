import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import tls from 'node:tls';
import { expect, it, vi } from 'vitest';
import { parseProfile } from './tls-profile.js';

// Before the function is taken from the module.
const tried = vi.spyOn(tls, 'createSecureContext');

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });

it("what OpenSSL doesn't know spoils nothing for the key that is read next", () => {
  // Before the hybrid group was looked for, and after a name that a program got wrong.
  parseProfile();
  expect(createPrivateKey(pem).type).toBe('private');
  expect(() => parseProfile({ groups: 'P-257' })).toThrow(/OpenSSL can't use 'P-257'/);
  expect(createPrivateKey(pem).type).toBe('private');
});

it('remembers 64 lists that OpenSSL took, and tries any more each time', () => {
  const lists = Array.from({ length: 80 }, (_, n) => `TLS_AES_128_GCM_SHA256${':ECDHE+AESGCM'.repeat(n)}`);
  const timesTried = (ciphers: string | undefined): number => {
    tried.mockClear();
    expect(parseProfile({ ciphers }).ciphers).toBe(ciphers);
    return tried.mock.calls.length;
  };
  expect(lists.map(timesTried)).toEqual(lists.map(() => 1));
  const remembered = lists.map(timesTried).filter((times) => times === 0);
  expect(remembered).toHaveLength(64);
  expect(lists.map(timesTried).filter((times) => times === 0)).toHaveLength(64);
});
