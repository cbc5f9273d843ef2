/** Files that aren't what was expected: what they are, and what to do with them. */
import { kindOfDer, type DerKind } from './der-kind.js';
import { bareBase64, textOf } from './text.js';

/** What a file was expected to hold. */
export type Wanted =
  'certificate' | 'revocation list' | 'request' | 'private key' | 'public key' | 'PKCS#12 file';

/** What an input is instead of what was expected, and what to do. */
export interface Description {
  /** A sentence without its full stop, such as "it is a Java keystore (JKS)". */
  readonly what: string;
  /** What to do. */
  readonly advice: string;
}

type Known = readonly [what: string, advice: string];

const APART =
  'Take it apart (knsock certs convert FILE --to pem); where there is pfxFile (--pfx), it can be given there as it is.';
const LOOK = 'knsock certs inspect FILE shows what is in it.';
const KEY_ELSEWHERE = 'Give it as the key (keyFile, --key), and here what belongs to it.';
const TO_PEM = 'knsock certs convert FILE --to pem makes it a key that is read everywhere.';

/** What is seen from the first bytes of binary files. */
const magics: readonly (readonly [hex: string, ...known: Known])[] = [
  ['feedfeed', 'it is a Java keystore of the old kind (JKS)', APART],
  ['cececece', 'it is a Java keystore of the old kind (JCEKS)', APART],
  [
    '0000000200000014',
    'it is a Bouncy Castle keystore (BKS)',
    'Export it as PKCS#12 with the program that made it.',
  ],
  [
    '53514c69746520666f726d6174203300',
    'it is an SQLite database, as NSS and Firefox keep certificates in (cert9.db, key4.db)',
    'pk12util -o NEW.p12 -n NICKNAME -d FOLDER exports a certificate with its key; certutil -L -a -n NICKNAME -d FOLDER one alone.',
  ],
  ['6b796368', 'it is a macOS keychain', 'Export the certificate from Keychain Access as .p12 or .pem.'],
  [
    '1ef1b5b0',
    "it is a private key of Microsoft's PVK format",
    'openssl rsa -inform PVK -in FILE -out NEW.pem makes it PEM.',
  ],
  [
    '0000000043455254',
    'it is a serialized certificate store of Windows (SST)',
    "Export it as PKCS#7 (.p7b) or base64 X.509 (.cer) from Windows' certificate manager.",
  ],
  ['504b0304', 'it is a ZIP archive', 'Unpack it, and give the file inside.'],
  ['1f8b', 'it is a gzip archive', 'Unpack it, and give the file inside.'],
];

/** What is seen from text that isn't PEM. */
const words: readonly (readonly [pattern: RegExp, ...known: Known])[] = [
  [/^\s*$/, 'it is empty', 'Did the program that writes it fail, or is it the wrong path?'],
  [/^PuTTY-User-Key-File-\d/, 'it is a PuTTY private key (.ppk)', KEY_ELSEWHERE],
  [
    /^(ssh-(rsa|dss|ed25519)|ecdsa-sha2-\S+|sk-\S+) AAAA|^---- BEGIN SSH2 PUBLIC KEY/m,
    'it is an SSH public key',
    'The private key lies beside it in the file without .pub; TLS needs a certificate besides.',
  ],
  [
    /^\s*(<!doctype html|<html)/i,
    'it is an HTML page',
    'Was it downloaded from a page that asked to log in, or reported an error?',
  ],
  [
    /^\s*<RSAKeyValue>/,
    'it is an RSA key in XML, as .NET writes it',
    'Export it as PKCS#8 PEM (ExportPkcs8PrivateKeyPem).',
  ],
  [
    /^kind:\s*Secret\s*$|^\s*tls\.(crt|key):/m,
    'it is a Kubernetes manifest',
    'Its values are base64 of PEM: kubectl get secret NAME -o "jsonpath={.data.tls\\.crt}" | base64 -d > tls.crt.',
  ],
  [
    /^version https:\/\/git-lfs/,
    'it is a pointer of Git LFS, not the file itself',
    'git lfs pull fetches the file.',
  ],
  [
    /^(Certificate|Certificate Request|Certificate Revocation List \(CRL\)):\s*$/m,
    "it is openssl's listing of it (-text), without the thing itself",
    'Write it again without -noout.',
  ],
  [
    /"kty"\s*:/,
    'it is a JSON Web Key (JWK)',
    "knsock certs convert FILE --to pem makes it a PEM key. A certificate isn't part of it.",
  ],
  [
    /^\s*[[{]/,
    'it is JSON',
    'Take the PEM text out of it: jq -r .certificate FILE, or whatever the field is called.',
  ],
  [
    /BEGIN [A-Z0-9 ]*(CERTIFICATE|KEY|CRL|REQUEST)/,
    "its BEGIN line isn't framed by five hyphens on each side",
    'A word processor or a web page may have changed them; copy the original file.',
  ],
];

/** What PEM blocks hold, by their labels. */
const labels: readonly (readonly [pattern: RegExp, ...known: Known])[] = [
  [/^OPENSSH PRIVATE KEY$/, 'an OpenSSH private key', KEY_ELSEWHERE],
  [/PRIVATE KEY$/, 'a private key', KEY_ELSEWHERE],
  [
    /PUBLIC KEY$/,
    'a public key, without its private half',
    'Use the private key that was created together with this one.',
  ],
  [
    /^(TRUSTED |X509 )?CERTIFICATE$/,
    'a certificate',
    'Give it as the certificate (certFile, --cert) or the CA (caFile, --ca).',
  ],
  [
    /CERTIFICATE REQUEST$/,
    'a certificate request (CSR)',
    'Have it signed first: knsock certs sign FILE, or send it to your CA.',
  ],
  [/CRL$/, 'a revocation list', 'Give it as crlFile (--crl).'],
  [
    /^(EC|DH|DSA) PARAMETERS$|^X9\.42 DH PARAMETERS$/,
    'parameters alone, without a key',
    'openssl ecparam writes no key without -genkey; make one: knsock certs csr NAME writes key and request.',
  ],
  [
    /^(PKCS7|PKCS #7 SIGNED DATA|CMS)$/,
    'PKCS#7 (.p7b), certificates without a key',
    'knsock certs convert FILE --to pem takes the certificates out.',
  ],
  [/^PKCS12$/, 'PKCS#12', APART],
  [/^PGP /, "OpenPGP, which isn't a TLS format", 'Is that the right file?'],
  [/^AGE ENCRYPTED FILE$/, 'a file encrypted with age', 'age --decrypt FILE opens it.'],
];

const byDer: Readonly<Record<DerKind, Known>> = {
  certificate: [
    'a certificate (DER)',
    'Give it as the certificate (certFile, --cert) or the CA (caFile, --ca).',
  ],
  request: [
    'a certificate request (DER)',
    'Have it signed first: knsock certs sign FILE, or send it to your CA.',
  ],
  'revocation list': ['a revocation list (DER)', 'Give it as crlFile (--crl).'],
  'encrypted private key': ['an encrypted private key (DER)', KEY_ELSEWHERE],
  'private key': ['a private key (DER)', KEY_ELSEWHERE],
  'PKCS#1 key': ['an RSA private key (DER)', KEY_ELSEWHERE],
  'SEC1 key': ['an EC private key (DER)', KEY_ELSEWHERE],
  'public key': [
    'a public key (DER), without its private half',
    'Use the private key that was created together with this one.',
  ],
  'PKCS#7': [
    'PKCS#7 (.p7b), certificates without a key',
    'knsock certs convert FILE --to pem takes the certificates out.',
  ],
  'PKCS#12': ['PKCS#12 (.p12, .pfx)', APART],
  'OCSP response': ['an OCSP response', 'Is that the right file?'],
};

/** What is in an input, where what was wanted isn't. */
export function describeContent(input: string | Uint8Array, wanted: Wanted): Description {
  const text = textOf(input);
  if (text === undefined) return describeBytes(input as Uint8Array, wanted);
  if (text.includes('-----BEGIN ')) return describePem(text, wanted);
  const der = bareBase64(text);
  const kind = der && kindOfDer(der);
  if (kind !== undefined) return inBase64(kind, wanted);
  const found = words.find(([pattern]) => pattern.test(text));
  if (found !== undefined) return { what: found[1], advice: found[2] };
  if (/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text) && text.trim().length > 64)
    return {
      what: 'it looks like base64, cut short or without its BEGIN line',
      advice: 'Copy the whole file again.',
    };
  return { what: `it is text without a PEM block ("-----BEGIN …"), not a ${wanted}`, advice: LOOK };
}

function describeBytes(bytes: Uint8Array, wanted: Wanted): Description {
  const start = Buffer.from(bytes.subarray(0, 16)).toString('hex');
  const magic = magics.find(([hex]) => start.startsWith(hex));
  if (magic !== undefined) return { what: magic[1], advice: magic[2] };
  const kind = kindOfDer(bytes);
  if (kind === undefined)
    return {
      what: `it is neither PEM nor DER of a ${wanted}`,
      advice: `Is it the right file, and complete? ${LOOK}`,
    };
  return (
    expected(kind, wanted) ?? { what: `it holds ${byDer[kind][0]}, not a ${wanted}`, advice: byDer[kind][1] }
  );
}

function inBase64(kind: DerKind, wanted: Wanted): Description {
  const [what, advice] = byDer[kind];
  return { what: `it holds ${what.replace(' (DER)', '')} in base64, not a ${wanted}`, advice };
}

/** What it should be by its first bytes, and isn't. */
function expected(kind: DerKind, wanted: Wanted): Description | undefined {
  if (kind !== wanted && !(kind === 'PKCS#12' && wanted === 'PKCS#12 file')) return undefined;
  return { what: `it is a damaged ${wanted}`, advice: 'Is the file complete? Copy or export it again.' };
}

function describePem(text: string, wanted: Wanted): Description {
  const found = [...text.matchAll(/-----BEGIN ([^\r\n]{1,64}?)-----/g)].map(([, label = '']) => label);
  const facts = [...new Set(found)].map((label) => ({
    label,
    known: labels.find(([pattern]) => pattern.test(label)),
  }));
  const [first] = facts;
  const shown = facts.map(({ label, known }) =>
    known === undefined ? `"${label}"` : `${known[1]} ("${label}")`,
  );
  const advice = wanted === 'private key' && first?.known?.[2] === KEY_ELSEWHERE ? TO_PEM : first?.known?.[2];
  return { what: `it holds ${list(shown.slice(0, 4))}, not a ${wanted}`, advice: advice ?? LOOK };
}

function list(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? 'nothing') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
