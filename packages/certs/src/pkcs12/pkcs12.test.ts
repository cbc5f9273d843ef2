import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../authorities/authority.js';
import { CertificateError } from '../errors.js';
import { createSelfSigned } from '../issuing/issue.js';
import { toPkcs12 } from './pkcs12.js';
import { fromPkcs12 } from './pkcs12-reader.js';

describe('a PKCS#12 file', () => {
  it('returns key and chain, leaf first, in whatever order they were given', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const intermediate = await root.intermediate({ commonName: 'Intermediate' });
    const { certificate, key } = await intermediate.issue({ kind: 'server', names: ['a.test'] });
    const mixed = root.certificate + certificate + intermediate.certificate;
    const file = await toPkcs12({ chain: mixed, key, friendlyName: 'ein Schlüssel' }, 'pässwort');
    expect(await fromPkcs12(file, 'pässwort')).toEqual({
      key,
      certificate,
      chain: certificate + intermediate.chain,
    });
  });

  it("is one that Node's TLS loads", async () => {
    const { chain, key } = await createSelfSigned({ names: ['a.test'] });
    const pfx = await toPkcs12({ chain, key }, 'secret');
    expect(() => createSecureContext({ pfx, passphrase: 'secret' })).not.toThrow();
  });

  it.each(['rsa2048', 'p384', 'ed25519'] as const)('carries a key of type %s', async (keyType) => {
    const { chain, key } = await createSelfSigned({ names: ['a.test'], keyType });
    expect((await fromPkcs12(await toPkcs12({ chain, key }, 'secret'), 'secret')).key).toBe(key);
  });

  it.each(['legacy-rc2-40', 'legacy-rc2-128', 'legacy-3des'])(
    'is read in the old form too: %s',
    async (name) => {
      const file = readFileSync(new URL(`../fixtures/${name}.p12`, import.meta.url));
      const { key, certificate } = await fromPkcs12(file, 'secret');
      expect(() => createSecureContext({ key, cert: certificate })).not.toThrow();
    },
  );

  it("doesn't open with another passphrase", async () => {
    const file = await toPkcs12(await createSelfSigned({ names: ['a.test'] }), 'secret');
    await expect(fromPkcs12(file, 'Secret')).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_PASSPHRASE' });
  });

  it("refuses a key that is none of its certificates', and an empty passphrase", async () => {
    const [one, other] = [
      await createSelfSigned({ names: ['a.test'] }),
      await createSelfSigned({ names: ['a.test'] }),
    ];
    const mixed = toPkcs12({ chain: one.chain, key: other.key }, 'secret');
    await expect(mixed).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_KEY_MISMATCH' });
    await expect(toPkcs12(one, '')).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_PASSPHRASE' });
  });

  it('that is garbage, or was changed, gives a typed error', async () => {
    const file = readFileSync(new URL('../fixtures/legacy-3des.p12', import.meta.url));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(file.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(file.length),
        async (at, flip, cut) => {
          const changed = Buffer.from(file);
          changed[at] = (changed[at] ?? 0) ^ flip;
          const outcome = await fromPkcs12(changed.subarray(0, cut || undefined), 'secret').catch(
            (error: unknown) => error,
          );
          if (outcome instanceof Error) expect(outcome).toBeInstanceOf(CertificateError);
        },
      ),
      { numRuns: 200 },
    );
  });
});
