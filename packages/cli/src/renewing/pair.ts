/** Renewal of a certificate in its files, by a local authority or self-signed. */
import type { Authority, Store } from '@knsock/certs';
import type { X509Certificate } from '@knsock/core/x509';
import { openWithKey, type StoreFlags } from '../commands/certs/store-options.js';
import { naming, readInput } from '../files.js';
import { passphraseOf } from '../options.js';
import type { Output } from '../output.js';

export interface PairFlags extends StoreFlags {
  reuseKey?: boolean;
  force?: boolean;
  passphraseFile?: string;
}

export async function renewPair(
  certFile: string,
  keyFile: string,
  flags: PairFlags,
  output: Output,
): Promise<void> {
  const { createSelfSigned, renew } = await import('@knsock/certs');
  const { reuseKey, force } = flags;
  const leaf = await leafOf(certFile);
  // Peers that trust a self-signed certificate must not be cut off by one of an authority, unless requested.
  const alone = flags.authority === undefined && leaf.isSelfIssued;
  const issuer = alone ? createSelfSigned : await storeIssuer(certFile, leaf, flags, output);
  const keyPassphrase = await passphraseOf(flags.passphraseFile);
  const result = await renew({ certFile, keyFile, issuer, keyPassphrase, reuseKey, force });
  const { renewed, notAfter, dueAt } = result;
  await output.result(
    result,
    renewed
      ? `renewed, valid until ${notAfter.toISOString()}`
      : `not due before ${dueAt.toISOString()}, valid until ${notAfter.toISOString()}`,
  );
}

/** The store's authority; peers that trust the old issuer must not be cut off by another one, unless requested. */
async function storeIssuer(
  certFile: string,
  leaf: X509Certificate,
  flags: PairFlags,
  output: Output,
): Promise<Authority> {
  const { store, authority } = await openWithKey(flags, output);
  if (flags.authority === undefined) await requireIssuedHere(store, certFile, leaf);
  return authority;
}

/** By any authority of the store: a root's successor renews what its predecessor issued. */
async function requireIssuedHere(store: Store, certFile: string, leaf: X509Certificate): Promise<void> {
  const { isIssuedBy, parseCertificates } = await import('@knsock/core/x509');
  for (const name of await store.authorities()) {
    const [authority] = parseCertificates(await store.chain(name));
    if (authority !== undefined && isIssuedBy(leaf, authority)) return;
  }
  const { CertificateError } = await import('@knsock/certs');
  const message = `no authority in ${store.directory} issued ${certFile}; its issuer is ${leaf.issuer.toString()}`;
  const hint =
    'Give the store of that issuer: --store DIR. To move the certificate to another authority, name that: --authority NAME.';
  throw new CertificateError('KNSOCK_CERTIFICATE_NOT_ISSUED_HERE', message, { file: certFile, hint });
}

async function leafOf(certFile: string): Promise<X509Certificate> {
  const { parseCertificates } = await import('@knsock/core/x509');
  const input = await readInput(certFile);
  const [leaf] = await naming(certFile, () => parseCertificates(input));
  return leaf as X509Certificate;
}
