import { createHash, createHmac, createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { expect, it } from 'vitest';
import { generateKey, privateKeyPem } from '../keys/keys.js';
import { AccountKey, externalBinding } from './account-key.js';

const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown;

it('signs header and payload, or nothing as the payload of POST-as-GET', async () => {
  const key = new AccountKey(privateKeyPem(await generateKey('p256')));
  const url = 'https://ca.test/x';
  for (const payload of [{ a: 1 }, {}, undefined]) {
    const jws = key.sign({ jwk: key.jwk, nonce: 'n', url }, payload);
    expect(read(jws.protected)).toEqual({ alg: 'ES256', jwk: key.jwk, nonce: 'n', url });
    expect(jws.payload === '' ? undefined : read(jws.payload)).toEqual(payload);
    const publicKey = createPublicKey({ key: key.jwk as unknown as JsonWebKey, format: 'jwk' });
    const input = Buffer.from(`${jws.protected}.${jws.payload}`);
    const signature = Buffer.from(jws.signature, 'base64url');
    expect(signature).toHaveLength(64);
    expect(verify('sha256', input, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
  }
});

it('answers a challenge with the token and the thumbprint of RFC 7638', async () => {
  const key = new AccountKey(privateKeyPem(await generateKey('p256')));
  const { x, y } = key.jwk;
  const canonical = `{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`;
  const thumbprint = createHash('sha256').update(canonical).digest('base64url');
  expect(key.authorization('token')).toBe(`token.${thumbprint}`);
});

it("binds an external account to the key, with a MAC of the CA's key", async () => {
  const key = new AccountKey(privateKeyPem(await generateKey('p256')));
  const hmacKey = Buffer.alloc(32, 7);
  const url = 'https://ca.test/new-account';
  const jws = externalBinding({ kid: 'k', hmacKey: hmacKey.toString('base64url') }, url, key);
  expect(read(jws.protected)).toEqual({ alg: 'HS256', kid: 'k', url });
  expect(read(jws.payload)).toEqual(key.jwk);
  const mac = createHmac('sha256', hmacKey).update(`${jws.protected}.${jws.payload}`).digest('base64url');
  expect(jws.signature).toBe(mac);
});
