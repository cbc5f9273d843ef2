/** Chains, keys and lists as in practice, with what is expected of those that judge them. */
import { generateKeyPairSync } from 'node:crypto';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  extension,
  issue,
  issueCa,
  issueServer,
  keyUsage,
  makeCrlDer,
  nameConstraints,
  octets,
  oid,
  sequence,
  subjectAltName,
  subjectKeyIdentifier,
  tlv,
  type CrlWish,
  type Made,
} from '../x509/issue.js';

export const day = 86_400_000;
const now = Date.now();
export const dates = { notBefore: new Date(now - day), notAfter: new Date(now + 90 * day) };
export const past = { notBefore: new Date(now - 9 * day), notAfter: new Date(now - day) };
const future = { notBefore: new Date(now + day), notAfter: new Date(now + 9 * day) };
const san = subjectAltName('DNS:localhost');

export const root = issueCa({ subject: 'CN=Root', ...dates });
export const middle = issueCa({ subject: 'CN=Middle', issuer: root, ...dates });
const otherRoot = issueCa({ subject: 'CN=Old Root', ...dates });
export const stranger = issueCa({ subject: 'CN=Stranger', ...dates });
const rekeyed = issueCa({ subject: 'CN=Middle', issuer: root, serial: 7, ...dates });
const crossed = issueCa({ subject: 'CN=Root', keyOf: root, issuer: otherRoot, ...past });
const expiredMiddle = issueCa({ subject: 'CN=Middle', keyOf: middle, issuer: root, serial: 8, ...past });
const limited = issueCa({
  subject: 'CN=Limited',
  issuer: root,
  extensions: [nameConstraints({ permitted: ['DNS:elsewhere.test'] })],
  ...dates,
});
const short = issueCa({ subject: 'CN=Short', issuer: root, pathLength: 0, ...dates });
const tooDeep = issueCa({ subject: 'CN=Deep', issuer: short, ...dates });
const notCa = issue({ subject: 'CN=No CA', issuer: root, extensions: [keyUsage(0)], ...dates });
const v1Root = issue({ subject: 'CN=Version One', version: 1, ...dates });
const named = issueCa({
  subject: 'CN=Named',
  issuer: root,
  extensions: [subjectKeyIdentifier(Buffer.alloc(20, 1))],
  ...dates,
});
const weak = {
  ...generateKeyPairSync('rsa', { modulusLength: 1_024 }),
} as unknown as Made;

const netscapeType = (bits: number, critical = false) =>
  extension('2.16.840.1.113730.1.1', tlv(0x03, Buffer.of(0, bits)), critical);
const mailCa = issueCa({ subject: 'CN=Mail', issuer: root, extensions: [netscapeType(0x02)], ...dates });
const pssKey = (options: object): Made =>
  generateKeyPairSync('rsa-pss', {
    modulusLength: 2_048,
    hashAlgorithm: 'sha256',
    mgf1HashAlgorithm: 'sha256',
    ...options,
  }) as unknown as Made;

export const server = (issuer: Made | null = middle, more: Partial<Parameters<typeof issueServer>[0]> = {}) =>
  issueServer({
    ...(issuer && { issuer }),
    subject: 'CN=localhost',
    names: ['DNS:localhost'],
    ...dates,
    ...more,
  });
export const leaf = server();
export const crl = (issuer: Made, wish: Partial<CrlWish> = {}): Buffer =>
  makeCrlDer({ issuer, thisUpdate: new Date(now - day), nextUpdate: new Date(now + 30 * day), ...wish });

/** What is expected of each of them. */
interface Expected {
  /** Whether a server starts with it. */
  readonly starts: boolean;
  /** Whether a client of ours, which trusts the root, connects. */
  readonly trusted: boolean;
  /** Whether the server, where it starts, warns. */
  readonly warns?: boolean;
}

export interface Situation extends Expected {
  /** The check doesn't know the purpose of a certificate: one of a CA or a client is valid as such. */
  readonly checkPasses?: boolean;
  readonly checkPassesAsPkcs12?: boolean;
  readonly chain: readonly Made[];
  readonly key?: Made;
  readonly ca?: readonly Made[];
  readonly crls?: readonly Buffer[];
}

export const good = { starts: true, trusted: true } as const;
const odd = { starts: true, trusted: true, warns: true } as const;
const refusedByClients = { starts: true, trusted: false, warns: true } as const;
const unusable = { starts: false, trusted: false } as const;

export const situations: Readonly<Record<string, Situation>> = {
  'leaf and intermediate': { chain: [leaf, middle], ...good },
  'the root behind them': { chain: [leaf, middle, root], ...good },
  'a leaf of the root alone': { chain: [server(root)], ...good },
  'the leaf twice': { chain: [leaf, leaf, middle], ...odd },
  'the intermediate twice': { chain: [leaf, middle, middle], ...odd },
  'a stranger at the end': { chain: [leaf, middle, stranger], ...odd },
  'a wrong order': { chain: [leaf, root, middle], ...odd },
  'both intermediates of a CA that changed its key': { chain: [leaf, rekeyed, middle], ...odd },
  'an expired cross-signed certificate at the end': { chain: [leaf, middle, crossed], ca: [root], ...odd },
  'an expired intermediate beside its successor': { chain: [leaf, expiredMiddle, middle], ...odd },
  'the leaf alone, without its intermediate': { chain: [leaf], starts: true, trusted: false },
  'a stranger instead of the intermediate': { chain: [leaf, stranger], ...refusedByClients },
  'an expired leaf': { chain: [server(middle, past), middle], ...unusable },
  'a leaf of tomorrow': { chain: [server(middle, future), middle], ...unusable },
  'an expired intermediate alone': { chain: [leaf, expiredMiddle], ...unusable },
  'a weak key': { chain: [server(middle, { keyOf: weak }), middle], ...unusable },
  // In PKCS#12 a key is found with its own certificate, here a CA's.
  'the key of another': {
    chain: [leaf, middle],
    key: middle,
    starts: false,
    trusted: true,
    checkPassesAsPkcs12: true,
  },
  'the leaf second': { chain: [middle, leaf], key: leaf, starts: false, trusted: false },
  'the certificate of a CA': { chain: [root], checkPasses: true, ...unusable },
  'a certificate for clients': {
    chain: [
      issue({
        subject: 'CN=c',
        issuer: root,
        extensions: [keyUsage(0), extendedKeyUsage('client'), san],
        ...dates,
      }),
    ],
    checkPasses: true,
    ...unusable,
  },
  'a certificate for code signing': {
    chain: [
      issue({
        subject: 'CN=c',
        issuer: root,
        extensions: [keyUsage(0), extendedKeyUsage('code'), san],
        ...dates,
      }),
    ],
    ...unusable,
  },
  "Netscape's type for clients": { chain: [server(root, { extensions: [netscapeType(0x80)] })], ...unusable },
  "Netscape's type for nothing": { chain: [server(root, { extensions: [netscapeType(0)] })], ...unusable },
  "Netscape's type for servers, critical": {
    chain: [server(root, { extensions: [netscapeType(0x40, true)] })],
    ...good,
  },
  "a CA with Netscape's type for mail": {
    chain: [server(mailCa), mailCa],
    ...good,
  },
  'an RSA-PSS key for salts longer than in TLS': {
    chain: [server(root, { keyOf: pssKey({ saltLength: 48 }) })],
    ...unusable,
  },
  'an RSA-PSS key whose mask has another digest': {
    chain: [server(root, { keyOf: pssKey({ mgf1HashAlgorithm: 'sha384' }) })],
    ...unusable,
  },
  'an RSA-PSS key for SHA-224': {
    chain: [server(root, { keyOf: pssKey({ hashAlgorithm: 'sha224', mgf1HashAlgorithm: 'sha224' }) })],
    ...unusable,
  },
  'an RSA-PSS key for shorter salts': {
    chain: [server(root, { keyOf: pssKey({ saltLength: 20 }) })],
    ...good,
  },
  'a key that may not sign': {
    chain: [
      issue({
        subject: 'CN=c',
        issuer: root,
        extensions: [keyUsage(2), extendedKeyUsage('server'), san],
        ...dates,
      }),
    ],
    ...unusable,
  },
  'keyCertSign without being a CA': {
    chain: [
      issue({
        subject: 'CN=localhost',
        extensions: [basicConstraints(false), keyUsage(0, 5), san],
        ...dates,
      }),
    ],
    ca: [],
    ...refusedByClients,
  },
  'a certificate without any name of an issuer': {
    chain: [server(null, { subject: '' })],
    ca: [],
    ...refusedByClients,
  },
  'an unknown critical extension': {
    chain: [server(root, { extensions: [extension('1.2.3.4', octets(Buffer.of(1)), true)] })],
    ...refusedByClients,
  },
  'a name that its CA may not certify': { chain: [server(limited), limited], ...refusedByClients },
  'one CA more than may follow': { chain: [server(tooDeep), tooDeep, short], ...refusedByClients },
  'an issuer that is no CA': { chain: [server(notCa), notCa], ...refusedByClients },
  'a root of version 1': { chain: [server(v1Root), v1Root], ca: [v1Root], ...refusedByClients },
  "key identifiers that don't fit": {
    chain: [server(named, { extensions: [authorityKeyIdentifier(Buffer.alloc(20, 2))] }), named],
    ...refusedByClients,
  },
  'a self-signed certificate that is trusted itself': { chain: [server(null)], ca: [], ...good },
  'a self-signed certificate by SHA-1 that is trusted itself': {
    chain: [server(null, { algorithm: sequence(oid('1.2.840.10045.4.1')), digest: 'sha1' })],
    ca: [],
    ...good,
  },
  'a list that is current': { chain: [leaf, middle], crls: [crl(middle)], ...good },
  'a list that is overdue': {
    chain: [leaf, middle],
    crls: [crl(middle, { thisUpdate: past.notBefore, nextUpdate: past.notAfter })],
    ...unusable,
  },
  'a list without an end': { chain: [leaf, middle], crls: [crl(middle, { nextUpdate: null })], ...unusable },
  'a list of tomorrow': {
    chain: [leaf, middle],
    crls: [crl(middle, { thisUpdate: future.notBefore, nextUpdate: future.notAfter })],
    ...unusable,
  },
};
