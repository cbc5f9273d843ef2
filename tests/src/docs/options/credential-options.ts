// Why the options of credentials and framings have the defaults that they have: tables of docs/defaults.md.
import { credentialOptions } from '../../../../packages/core/src/credentials/credentials.js';
import { credentialFileOptions } from '../../../../packages/core/src/credentials/load.js';
import { watchOptions } from '../../../../packages/core/src/credentials/watch.js';
import { jsonOptions } from '../../../../packages/core/src/framing/json.js';
import { lengthPrefixedOptions } from '../../../../packages/core/src/framing/length-prefixed.js';
import { rawOptions } from '../../../../packages/core/src/framing/raw.js';
import { revocationPolicyReaders } from '../../../../packages/core/src/x509/revocation-policy.js';
import { optionOf, optionTable, rowsOf, type OptionRow } from './option-rows.js';

const { onError: _reported, signal: _ends, ...watching } = watchOptions;

const credentials: OptionRow[] = [
  ...rowsOf(
    watching,
    {
      interval:
        'a change is taken at the second look that finds it unchanged, so within about two seconds and never half-written',
    },
    optionOf('watchCredentials'),
  ),
  ...rowsOf(
    credentialFileOptions,
    {
      certFile: ['none', 'only what is named is loaded'],
      keyFile: ['none', 'only what is named is loaded'],
      caFile: ["none: a client trusts Node's default store", 'only what is named is loaded'],
      crlFile: ['none', 'a list that is given is obeyed: see `revocation` above'],
      pfxFile: ['none', 'PKCS#12, instead of `certFile` and `keyFile`'],
      pfxKeyName: ['the only key of the PKCS#12 file', "a file with several keys doesn't say which is meant"],
      passphrase: ['none', 'only encrypted files need one'],
    },
    optionOf('loadCredentials'),
  ),
  ...rowsOf(
    credentialOptions,
    {
      cert: ['none', 'the same as text or bytes'],
      key: ['none', 'the same as text or bytes'],
      ca: ["none: a client trusts Node's default store", 'the same as text or bytes'],
      crl: ['none', 'the same as text or bytes'],
      pfx: ['none', 'the same as bytes, or as their base64'],
      pfxKeyName: ['the only key of the PKCS#12 file', 'as above'],
      passphrase: ['none', 'as above'],
    },
    optionOf('createCredentials'),
  ),
  ...rowsOf(
    revocationPolicyReaders,
    {
      depth: 'most CAs publish one list for what they issue',
      unknown: "what isn't known isn't trusted",
      stale: "an old list doesn't show the newest revocations",
      unnumbered: 'Easy-RSA and cfssl make such lists, and `thisUpdate` tells the newer of two as well',
      missingDelta: 'RFC 5280 6.3.3 leaves delta lists to the verifier, and knsock fetches none by itself',
    },
    optionOf('crlRevocation'),
  ),
];

const framings: OptionRow[] = [
  ...rowsOf(
    jsonOptions,
    {
      schema: ['none: any JSON', 'only you know the shape'],
      maxDepth:
        'deeper than any data that people write; nesting costs a hundred times what flat text of the same length does',
      maxBytes: ['`maxMessageBytes`', 'a message is a JSON text'],
    },
    optionOf('json()'),
  ),
  ...rowsOf(
    rawOptions,
    {
      alpn: ['none', 'programs that speak raw TLS often have no ALPN'],
      alpnOptional: 'a protocol that is named is demanded',
    },
    optionOf('raw()'),
  ),
  ...rowsOf(
    lengthPrefixedOptions,
    { bytes: 'what most such protocols use', endian: 'network order' },
    optionOf('lengthPrefixed()'),
  ),
];

/** Generated parts of docs/defaults.md. */
export const credentialTables: Readonly<Record<string, string>> = {
  credentials: optionTable(credentials),
  framings: optionTable(framings),
};
