import { generateKeyPairSync } from 'node:crypto';
import { verifyPathSync } from '@knsock/core/x509';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../authorities/authority.js';
import { lint } from '../inspecting/lint.js';
import { createCsr } from '../issuing/csr.js';
import { fromPkcs12 } from '../pkcs12/pkcs12-reader.js';
import { toPkcs12 } from '../pkcs12/pkcs12.js';
import { convertKey } from '../formats/formats.js';

const hasLattices = ((): boolean => {
  try {
    (generateKeyPairSync as unknown as (type: string) => void)('ml-dsa-44');
    return true;
  } catch {
    return false;
  }
})();

describe.each(['mldsa44', 'mldsa65', 'mldsa87'] as const)('a key of type %s', (keyType) => {
  it('signs certificates, requests and lists that are verified here', async (context) => {
    if (!hasLattices) context.skip(`Node ${process.versions.node} makes no ML-DSA keys`);
    const root = await createAuthority({ commonName: 'Root', keyType });
    const below = await root.intermediate({ commonName: 'Below', keyType });
    const { csr, key } = await createCsr({ names: ['a.test'], keyType });
    const signed = await below.sign(csr, { kind: 'server', names: ['a.test'] });
    const path = {
      leaf: signed.certificate,
      intermediates: [below.certificate],
      anchors: [root.root],
      usage: 'server',
      name: 'a.test',
    } as const;
    expect(verifyPathSync(path)).toMatchObject({ ok: true });
    expect(await lint(signed.chain)).toEqual([]);
    const other = await createAuthority({ commonName: 'Root', keyType });
    expect(verifyPathSync({ ...path, anchors: [other.root] })).toMatchObject({ ok: false });
    await root.revoke(below.certificate);
    expect(verifyPathSync({ ...path, crls: [(await root.crl()).pem] })).toMatchObject({ reason: 'revoked' });
    expect(await convertKey(await convertKey(key, { newPassphrase: 'x' }), { passphrase: 'x' })).toBe(key);
    const store = await toPkcs12({ chain: signed.chain, key }, 'secret');
    expect(await fromPkcs12(store, 'secret')).toMatchObject({ key });
  });

  it('is refused where Node has none, with the reason', async (context) => {
    if (hasLattices) context.skip(`Node ${process.versions.node} has ML-DSA`);
    await expect(createAuthority({ commonName: 'Root', keyType })).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_KEY',
      message: expect.stringMatching(/^this version of Node \(v\d+.*\) has no ML-DSA-\d\d keys$/) as unknown,
    });
  });
});
