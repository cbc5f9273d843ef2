import { createPublicKey, generateKeyPairSync, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCrl, parseCertificate, verifyCrlSignature } from '@knsock/core/x509';
import { describe, expect, it } from 'vitest';
import { createAuthority, loadAuthority } from '../authorities/authority.js';
import { verifyChain } from '../inspecting/verify-chain.js';
import { openStore } from '../store/store.js';
import type { Signer } from './signer.js';

const pairs: Record<string, () => { publicKey: KeyObject; privateKey: KeyObject }> = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  RSA: () => generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  Ed25519: () => generateKeyPairSync('ed25519'),
};
const hashes: Record<string, string | null> = {
  'P-256': 'sha256',
  'P-384': 'sha384',
  RSA: 'sha256',
  Ed25519: null,
};

/** A key that only signs. */
function signerOf(kind: string, more: Partial<Signer> = {}): Signer {
  const { publicKey, privateKey } = (pairs[kind] as () => { publicKey: KeyObject; privateKey: KeyObject })();
  const hash = hashes[kind] ?? null;
  return { publicKey, sign: (tbs) => Promise.resolve(sign(hash, tbs, privateKey)), ...more };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('a signer', () => {
  it.each(Object.keys(pairs))('signs a root, an intermediate, a leaf and lists (%s)', async (kind) => {
    const root = await createAuthority({ commonName: 'Root', signer: signerOf(kind) });
    expect(root.key).toBeUndefined();
    const issuing = await root.intermediate({ commonName: 'Issuing', signer: signerOf(kind) });
    expect(issuing.key).toBeUndefined();
    const { chain, certificate } = await issuing.issue({ kind: 'server', names: ['a.test'] });
    const crls = [(await issuing.crl()).pem, (await root.crl()).pem];
    const options = { chain, ca: root.root, crls, name: 'a.test' };
    expect(await verifyChain(options)).toMatchObject({ ok: true });
    expect(new X509Certificate(certificate).verify(createPublicKey(issuing.certificate))).toBe(true);
    await issuing.revoke(certificate);
    const again = [(await issuing.crl()).pem, crls[1] as string];
    expect(await verifyChain({ ...options, crls: again })).toMatchObject({ reason: 'revoked' });
  });

  it('signs with the given algorithm', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const signer: Signer = {
      publicKey: publicKey.export({ type: 'spki', format: 'pem' }),
      algorithm: 'rsa-sha512',
      sign: (tbs) => Promise.resolve(sign('sha512', tbs, privateKey)),
    };
    const { certificate } = await createAuthority({ commonName: 'Root', signer });
    expect(parseCertificate(certificate).signatureAlgorithm.oid).toBe('1.2.840.113549.1.1.13');
  });

  it('signs for an authority that was made elsewhere', async () => {
    const signer = signerOf('P-256');
    const { chain } = await createAuthority({ commonName: 'Root', signer });
    const again = await loadAuthority({ chain, signer });
    expect(verifyCrlSignature(parseCrl((await again.crl()).der), parseCertificate(chain))).toBe(true);
    await expect(loadAuthority({ chain, signer: signerOf('P-256') })).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_KEY_MISMATCH',
    });
    for (const files of [{ chain }, { chain, signer, key: 'x' }])
      await expect(loadAuthority(files)).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION' });
  });

  it('has its authority in a store without a key, and is recognised by its public key', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'knsock-signer-'));
    try {
      const signer = signerOf('P-256');
      const store = await openStore(folder);
      await store.createAuthority({ commonName: 'Other', file: 'other' });
      await store.createAuthority({ commonName: 'Root', signer, file: 'root' });
      expect((await readdir(join(folder, 'ca'))).sort()).toEqual(['other.crt', 'other.key', 'root.crt']);
      const authority = await store.authority(undefined, { signer });
      const { certificate } = await authority.issue({ kind: 'client', commonName: 'app' });
      expect(new X509Certificate(certificate).issuer).toBe('CN=Root');
      await expect(store.authority('other', { signer })).rejects.toMatchObject({
        code: 'KNSOCK_CERTIFICATE_KEY_MISMATCH',
      });
      await expect(store.authority(undefined, { signer: signerOf('RSA') })).rejects.toMatchObject({
        code: 'KNSOCK_CERTIFICATE_NOT_FOUND',
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('leaves nothing behind where it fails, and the next call is served', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'knsock-signer-'));
    try {
      const good = signerOf('P-256');
      const next: ((tbs: Uint8Array) => Promise<Uint8Array>)[] = [];
      const signer: Signer = {
        ...good,
        sign: (tbs, context) => (next.pop() ?? ((all) => good.sign(all, context)))(tbs),
      };
      const store = await openStore(folder);
      const authority = await store.createAuthority({ commonName: 'Root', signer });
      const before = await readFile(join(folder, 'index.jsonl'), 'utf8');
      next.push(() => Promise.reject(new Error('the module is locked')));
      await expect(authority.issue({ kind: 'client', commonName: 'app' })).rejects.toMatchObject({
        code: 'KNSOCK_CERTIFICATE_SIGNER',
        message: 'the signer failed: the module is locked',
      });
      next.push(() => Promise.resolve(new Uint8Array(64)));
      await expect(authority.crl()).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_SIGNER' });
      expect(await readFile(join(folder, 'index.jsonl'), 'utf8')).toBe(before);
      expect((await authority.crl()).number).toBe(1);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('has each signature verified before it is used', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const raw: Signer['sign'] = (tbs) =>
      Promise.resolve(sign('sha256', tbs, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
    const other = signerOf('P-256');
    const strange: Signer['sign'] = (tbs, context) => other.sign(tbs, context);
    const twice: Signer['sign'] = (tbs) => Promise.resolve(sign('sha384', tbs, privateKey));
    for (const wrong of [raw, strange, twice, () => Promise.resolve(new Uint8Array())])
      await expect(
        createAuthority({ commonName: 'Root', signer: { publicKey, sign: wrong } }),
      ).rejects.toMatchObject({
        code: 'KNSOCK_CERTIFICATE_SIGNER',
        hint: expect.stringContaining('--signature-format openssl') as string,
      });
  });

  it('is awaited until its deadline, or until the signal fires', async () => {
    let heard: AbortSignal | undefined;
    const silent = signerOf('P-256', {
      timeout: 20,
      sign: (_, { signal }) => {
        heard = signal;
        return never();
      },
    });
    await expect(createAuthority({ commonName: 'Root', signer: silent })).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_SIGNER',
      message: 'the signer gave no signature within 20 ms',
    });
    expect(heard?.aborted).toBe(true);
    const reason = new Error('enough');
    const controller = new AbortController();
    const patient = signerOf('P-256', {
      sign: () => {
        controller.abort(reason);
        return never();
      },
    });
    const { signal } = controller;
    await expect(createAuthority({ commonName: 'Root', signer: patient, signal })).rejects.toBe(reason);
  });

  it('is refused if it is invalid', async () => {
    const rsa = signerOf('RSA');
    const refused = async (signer: unknown, more = {}) =>
      createAuthority({ commonName: 'Root', signer: signer as Signer, ...more }).catch(
        (error: unknown) => (error as { code: unknown }).code,
      );
    const option = 'KNSOCK_INVALID_OPTION';
    expect(await refused({ publicKey: rsa.publicKey })).toBe(option);
    expect(await refused({ ...rsa, algorithm: 'ecdsa-sha256' })).toBe(option);
    expect(await refused({ ...rsa, algorithm: 'rsa-sha1' })).toBe(option);
    expect(await refused({ ...rsa, timeuot: 1 })).toBe(option);
    expect(await refused(rsa, { keyType: 'p256' })).toBe(option);
    expect(await refused('rsa')).toBe(option);
    expect(await refused({ ...rsa, publicKey: 'none' })).toBe('KNSOCK_CERTIFICATE_KEY');
    const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey;
    expect(await refused({ ...rsa, publicKey: weak })).toBe('KNSOCK_CERTIFICATE_KEY');
  });
});
