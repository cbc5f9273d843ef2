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

/** One opening for each key of a file with several; the given one for any other. */
export async function eachKey(input: Uint8Array, opening: SourceOpening): Promise<readonly SourceOpening[]> {
  const { certificatesIn, isKeyStore } = await import('@knsock/core/x509');
  if (opening.keyName !== undefined || !isKeyStore(input)) return [opening];
  // The reader that follows reports what can't be opened.
  const { names = [] } = (await certificatesIn(input, opening).catch(() => undefined)) ?? {};
  return names.length < 2 ? [opening] : names.map((keyName) => ({ ...opening, keyName }));
}
