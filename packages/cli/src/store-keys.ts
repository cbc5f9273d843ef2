/** Which keys of a PKCS#12 file or Java key store a command looks at: the one that was named, else each. */
import type { SourceOpening } from '@knsock/certs';
import { passphraseOf } from './options.js';

export interface OpeningFlags {
  passphraseFile?: string;
  pfxKeyName?: string;
}

export async function openingOf({ passphraseFile, pfxKeyName }: OpeningFlags): Promise<SourceOpening> {
  return { passphrase: await passphraseOf(passphraseFile), keyName: pfxKeyName };
}

/** What a reader is given for one key of a file. */
export interface KeyInput {
  readonly input: string | Uint8Array;
  readonly opening: SourceOpening;
  /** What the file calls it; undefined where it has one alone, or isn't a key store. */
  readonly name: string | undefined;
}

/** One input for each key of a file with several, and one for any other. A store is opened once, and read on as PEM. */
export async function eachKey(input: Uint8Array, opening: SourceOpening): Promise<readonly KeyInput[]> {
  const { allCertificates, certificatesIn, isKeyStore } = await import('@knsock/core/x509');
  const whole = [{ input, opening, name: undefined }];
  if (!isKeyStore(input)) return whole;
  // The reader that follows reports what can't be opened.
  const found = await certificatesIn(input, opening).catch(() => undefined);
  if (found === undefined) return whole;
  const { passphrase } = opening;
  const { chains, names = [], others } = found;
  const sets = names.length < 2 ? [found] : chains.map((chain) => ({ ...found, chains: [chain], others }));
  return sets.map((set, index) => ({
    input: allCertificates(set)
      .map(({ pem }) => pem)
      .join(''),
    opening: { passphrase },
    name: names.length < 2 ? undefined : names[index],
  }));
}
