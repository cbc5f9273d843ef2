/** Renewal of a certificate in its files, by a local authority or self-signed. */
import { authorityOf, type StoreFlags } from '../commands/certs/store-options.js';
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
  // Peers that trust a self-signed certificate must not be cut off by one of an authority, unless requested.
  const alone = flags.authority === undefined && (await isSelfSigned(certFile));
  const issuer = alone ? createSelfSigned : await authorityOf(flags, output);
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

async function isSelfSigned(certFile: string): Promise<boolean> {
  const { parseCertificates } = await import('@knsock/core/x509');
  const input = await readInput(certFile);
  return (await naming(certFile, () => parseCertificates(input)))[0]?.isSelfIssued === true;
}
