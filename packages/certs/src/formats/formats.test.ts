import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../authorities/authority.js';
import { createCsr } from '../issuing/csr.js';
import { CertificateError } from '../errors.js';
import { convertKey, derToPem, pemToDer } from './formats.js';
import { inspect } from '../inspecting/inspect.js';
import { createSelfSigned } from '../issuing/issue.js';
import { keyMatches } from '../keys/key-matches.js';

describe('PEM and DER', () => {
  it('convert into each other without loss, for every kind of object', async () => {
    const authority = await createAuthority({ commonName: 'Root' });
    const publicKey = createPublicKey(authority.key ?? '')
      .export({ type: 'spki', format: 'pem' })
      .toString();
    const { csr } = await createCsr({ names: ['a.test'] });
    const locked = await convertKey(authority.key ?? '', { newPassphrase: 'secret' });
    const { pem: crl } = await authority.crl();
    for (const pem of [authority.certificate, authority.key ?? '', publicKey, csr, locked, crl])
      expect(await derToPem(pemToDer(Buffer.from(pem)))).toBe(pem);
  });

  it.each([Buffer.from('3005020101', 'hex'), Buffer.from('-----BEGIN A-----'), Buffer.alloc(0)])(
    'refuse what is neither (%#)',
    async (bytes) => {
      await expect(derToPem(bytes)).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_MALFORMED' });
      expect(() => pemToDer(bytes)).toThrow(CertificateError);
    },
  );
});

describe('a key', () => {
  it.each([
    ['pkcs1', 'pem'],
    ['pkcs1', 'der'],
    ['pkcs8', 'der'],
    ['pkcs8', 'pem'],
  ] as const)('in the form %s, %s becomes PKCS#8', async (type, format) => {
    const { key, certificate } = await createSelfSigned({ names: ['a.test'], keyType: 'rsa2048' });
    const exported = createPrivateKey(key).export({ type, format } as { type: 'pkcs8'; format: 'der' });
    expect(await convertKey(exported)).toBe(key);
    expect(keyMatches(certificate, exported)).toBe(true);
  });

  it('is locked and opened by a passphrase, as PEM and as DER', async () => {
    const { key, certificate } = await createSelfSigned({ names: ['a.test'] });
    const sec1 = createPrivateKey(key).export({ type: 'sec1', format: 'der' });
    const locked = await convertKey(sec1, { newPassphrase: 'secret' });
    for (const input of [locked, pemToDer(locked)]) {
      expect(await convertKey(input, { passphrase: 'secret' })).toBe(key);
      for (const passphrase of ['wrong', undefined])
        await expect(convertKey(input, { passphrase })).rejects.toMatchObject({
          code: 'KNSOCK_CERTIFICATE_PASSPHRASE',
        });
    }
    expect(createPrivateKey({ key: locked, passphrase: 'secret' }).type).toBe('private');
    const { items } = await inspect(pemToDer(locked), { passphrase: 'secret' });
    const spkiPin = (await inspect(certificate)).items[0];
    expect(items).toMatchObject([{ type: 'private-key', encrypted: true, key: 'P-256' }]);
    expect(items[0]).toMatchObject({ spkiPin: spkiPin && 'spkiPin' in spkiPin ? spkiPin.spkiPin : '' });
    expect((await inspect(pemToDer(locked))).items).toMatchObject([{ encrypted: true, key: undefined }]);
    await expect(convertKey(key, { newPassphrase: '' })).rejects.toBeInstanceOf(CertificateError);
    expect(new X509Certificate(pemToDer(certificate)).raw).toEqual(pemToDer(certificate));
  });
});
