import { parseCertificate, type X509Certificate } from '@knsock/core/x509';
import { beforeAll, expect, it } from 'vitest';
import { readAllOptions } from '@knsock/core/options';
import { authorityOptions, signAuthority } from '../issuing/authority-certificate.js';
import { readSigningAuthority } from '../issuing/signing-authority.js';
import { generateKey } from '../keys/keys.js';
import { keyAtHand, type SigningKey } from '../keys/signer.js';
import { x509Library } from '../x509.js';
import { nextRoots } from './roots.js';

interface Root {
  readonly certificate: X509Certificate;
  /** This root's key and name, signed by another. */
  readonly by: (issuer: Root) => Promise<X509Certificate>;
  readonly pem: string;
  readonly key: SigningKey;
}

async function rootOf(commonName: string, days = 30): Promise<Root> {
  const library = await x509Library();
  const key = keyAtHand(await generateKey());
  const { certificate: pem } = await signAuthority(
    library,
    readAllOptions({ commonName, days }, authorityOptions),
    key,
  );
  const by = async (issuer: Root) => {
    const signing = readSigningAuthority(library, issuer.pem, issuer.key);
    const { certificate } = await signAuthority(
      library,
      readAllOptions({ commonName, days: 1 }, authorityOptions),
      key,
      signing,
    );
    return parseCertificate(certificate);
  };
  return { certificate: parseCertificate(pem), by, pem, key };
}

const now = new Date();
let old: Root;
let next: Root;
let stranger: Root;
beforeAll(async () => {
  [old, next, stranger] = [await rootOf('Old'), await rootOf('New'), await rootOf('New')];
});

const rooted = (offered: readonly X509Certificate[], at = now): X509Certificate[] =>
  nextRoots([old.certificate], offered, at);

it('trusts a new root beside the old one, whose key has signed it', async () => {
  expect(rooted([next.certificate, await next.by(old)])).toEqual([old.certificate, next.certificate]);
});

it('trusts no root that was merely sent along', async () => {
  expect(rooted([next.certificate])).toEqual([old.certificate]);
  expect(rooted([next.certificate, await next.by(stranger)])).toEqual([old.certificate]);
});

it('trusts no root of the same name with another key', async () => {
  expect(rooted([stranger.certificate, await next.by(old)])).toEqual([old.certificate]);
});

it("trusts no root signed only by one that isn't trusted yet", async () => {
  const third = await rootOf('Third');
  expect(rooted([third.certificate, await third.by(next), next.certificate])).toEqual([old.certificate]);
});

it('drops a root once it has expired, unless it is the last', async () => {
  const later = new Date(now.getTime() + 40 * 86_400_000);
  const long = await rootOf('Long', 90);
  expect(nextRoots([old.certificate, long.certificate], [], later)).toEqual([long.certificate]);
  expect(nextRoots([old.certificate], [], later)).toEqual([old.certificate]);
});

it('accepts no root signed by an expired root, or with an expired link certificate', async () => {
  const later = new Date(now.getTime() + 2 * 86_400_000);
  expect(rooted([next.certificate, await next.by(old)], later)).toEqual([old.certificate]);
  const long = await rootOf('Long', 90);
  const far = new Date(now.getTime() + 40 * 86_400_000);
  expect(rooted([long.certificate, await long.by(old)], far)).toEqual([old.certificate]);
});
