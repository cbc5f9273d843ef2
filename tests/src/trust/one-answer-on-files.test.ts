/**
 * Chains, keys and lists as in practice: the results of `certs verify`, `check`, a server that starts with them and a client
 * that connects must agree.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { verifyChain } from '@knsock/certs';
import { connect, listen, loadCredentials, type Credentials } from '@knsock/core';
import { parseCertificate, toPem } from '@knsock/core/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkFiles } from '../../../packages/cli/src/check/files.js';
import { severalKeys } from '../support/several-keys.js';
import { portOf } from '../support/world.js';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  extension,
  generalName,
  integer,
  issue,
  issueCa,
  issueServer,
  issuingPoint,
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

const day = 86_400_000;
const now = Date.now();
const dates = { notBefore: new Date(now - day), notAfter: new Date(now + 90 * day) };
const past = { notBefore: new Date(now - 9 * day), notAfter: new Date(now - day) };
const future = { notBefore: new Date(now + day), notAfter: new Date(now + 9 * day) };
const san = subjectAltName('DNS:localhost');

const root = issueCa({ subject: 'CN=Root', ...dates });
const middle = issueCa({ subject: 'CN=Middle', issuer: root, ...dates });
const otherRoot = issueCa({ subject: 'CN=Old Root', ...dates });
const stranger = issueCa({ subject: 'CN=Stranger', ...dates });
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

const server = (issuer: Made | null = middle, more: Partial<Parameters<typeof issueServer>[0]> = {}) =>
  issueServer({
    ...(issuer && { issuer }),
    subject: 'CN=localhost',
    names: ['DNS:localhost'],
    ...dates,
    ...more,
  });
const leaf = server();
const crl = (issuer: Made, wish: Partial<CrlWish> = {}): Buffer =>
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

interface Situation extends Expected {
  /** The check doesn't know the purpose of a certificate: one of a CA or a client is valid as such. */
  readonly checkPasses?: boolean;
  readonly checkPassesAsPkcs12?: boolean;
  readonly chain: readonly Made[];
  readonly key?: Made;
  readonly ca?: readonly Made[];
  readonly crls?: readonly Buffer[];
}

const good = { starts: true, trusted: true } as const;
const odd = { starts: true, trusted: true, warns: true } as const;
const refusedByClients = { starts: true, trusted: false, warns: true } as const;
const unusable = { starts: false, trusted: false } as const;

const situations: Readonly<Record<string, Situation>> = {
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

const place = (...names: string[]) => tlv(0xa0, tlv(0xa0, ...names.map((name) => generalName(name))));
const relative = (commonName: string) =>
  tlv(0xa0, tlv(0xa1, sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from(commonName)))));
const point = (where: Buffer, ...more: Buffer[]) =>
  extension('2.5.29.31', sequence(sequence(where, ...more)));
const directory = (der: Buffer) => tlv(0xa4, der);
const reasons = (...bytes: number[]) => tlv(0x83, Buffer.of(...bytes));
const onlyUsers = tlv(0x81, Buffer.of(0xff));
const onlyAuthorities = tlv(0x82, Buffer.of(0xff));
const indirect = tlv(0x84, Buffer.of(0xff));
const onlyAttributes = tlv(0x85, Buffer.of(0xff));
const scoped = (...parts: Buffer[]) => crl(middle, { extensions: [issuingPoint(...parts)] });
const deltaOf = (number: number, wish: Partial<CrlWish> = {}) =>
  crl(middle, { number: number + 1, extensions: [extension('2.5.29.27', integer(number), true)], ...wish });

// With key identifiers: without them OpenSSL takes one key's certificate for the other's.
const keyed = (byte: number, serial: number) =>
  issueCa({
    subject: 'CN=Rekeyed',
    issuer: root,
    serial,
    extensions: [subjectKeyIdentifier(Buffer.alloc(20, byte))],
    ...dates,
  });
const oldKey = keyed(1, 0x61);
const newKey = keyed(2, 0x62);
const ofOldKey = server(oldKey, { extensions: [authorityKeyIdentifier(Buffer.alloc(20, 1))] });

const signer = issueCa({ subject: 'CN=Signer of lists', issuer: root, serial: 0x51, ...dates });
const atSigner = server(middle, {
  extensions: [
    point(place('URI:http://a.test/i.crl'), tlv(0xa2, directory(parseCertificate(signer.der).subject.der))),
  ],
});
const ofSigner = (...parts: Buffer[]) =>
  crl(signer, { extensions: [issuingPoint(place('URI:http://a.test/i.crl'), ...parts)] });
const revokesLeaf = [{ serial: BigInt(`0x${parseCertificate(leaf.der).serial}`) }];

const covered = { chain: [leaf, middle], ...good } as const;
const uncovered = { chain: [leaf, middle], starts: true, trusted: false } as const;

/** What a list is about, and so for which certificates it counts (RFC 5280 6.3.3). */
const scopes: Readonly<Record<string, Situation>> = {
  'a list for users': { ...covered, crls: [scoped(onlyUsers)] },
  'a list for CAs': { ...uncovered, crls: [scoped(onlyAuthorities)] },
  'a list for CAs and one for users': { ...covered, crls: [scoped(onlyAuthorities), scoped(onlyUsers)] },
  'a list for attribute certificates': { ...uncovered, crls: [scoped(onlyAttributes)] },
  "a list at a URL that the certificate doesn't name": {
    ...uncovered,
    crls: [scoped(place('URI:http://a.test/1.crl'))],
  },
  'a list at the URL that the certificate names': {
    ...covered,
    chain: [server(middle, { extensions: [point(place('URI:http://a.test/1.crl'))] }), middle],
    crls: [scoped(place('URI:http://a.test/2.crl', 'URI:http://a.test/1.crl'))],
  },
  'a list at a place relative to its issuer': { ...uncovered, crls: [scoped(relative('Part 1'))] },
  'a list at the relative place that the certificate names': {
    ...covered,
    chain: [server(middle, { extensions: [point(relative('Part 1'))] }), middle],
    crls: [scoped(relative('Part 1'))],
  },
  'a list at another relative place': {
    ...uncovered,
    chain: [server(middle, { extensions: [point(relative('Part 1'))] }), middle],
    crls: [scoped(relative('Part 2'))],
  },
  'a list for some reasons': { ...uncovered, crls: [scoped(reasons(6, 0x40))] },
  'lists for some reasons that make all of them': {
    ...covered,
    crls: [scoped(reasons(6, 0x40)), scoped(reasons(7, 0x3f, 0x80))],
  },
  'an indirect list of an issuer that the certificate names': {
    ...good,
    chain: [atSigner, middle],
    ca: [root, signer],
    crls: [ofSigner(indirect)],
  },
  'a list of an issuer that the certificate names, not indirect': {
    ...uncovered,
    chain: [atSigner, middle],
    ca: [root, signer],
    crls: [ofSigner()],
  },
  "an indirect list of an issuer that the certificate doesn't name": {
    ...uncovered,
    ca: [root, signer],
    crls: [ofSigner(indirect)],
  },
  'the list of another CA': { ...uncovered, crls: [crl(stranger)] },
  "a list of the CA's new key, whose certificate is there": {
    ...good,
    chain: [ofOldKey, oldKey],
    ca: [root, newKey],
    crls: [crl(newKey)],
  },
  "a list of the CA's name by an unknown key": {
    ...uncovered,
    crls: [crl(issueCa({ subject: 'CN=Middle', ...dates }))],
  },
  'a delta list alone': { ...uncovered, crls: [deltaOf(1)] },
  'a complete list with its delta list': { ...covered, crls: [crl(middle), deltaOf(1)] },
  'a delta list that revokes': {
    ...uncovered,
    crls: [crl(middle), deltaOf(1, { revoked: revokesLeaf })],
  },
  'a list that revokes, for some reasons': {
    ...uncovered,
    crls: [crl(middle), crl(middle, { extensions: [issuingPoint(reasons(6, 0x40))], revoked: revokesLeaf })],
  },
};

/** Each kind of key that TLS supports. */
const keyKinds: Readonly<Record<string, () => { publicKey: KeyObject; privateKey: KeyObject }>> = {
  'RSA 2,048': () => generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  'RSASSA-PSS': () =>
    generateKeyPairSync('rsa-pss', {
      modulusLength: 2_048,
      hashAlgorithm: 'sha256',
      mgf1HashAlgorithm: 'sha256',
    }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  Ed25519: () => generateKeyPairSync('ed25519'),
};
const byKeys = Object.entries(keyKinds).map(([kind, make]): [string, Situation] => [
  `a leaf with a key of ${kind}`,
  { chain: [server(middle, { keyOf: make() }), middle], ...good },
]);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-files-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Files {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  readonly crlFile: string | undefined;
}

/** What a server starts with. */
type ServedFiles = Files | (Pick<Files, 'caFile' | 'crlFile'> & { readonly pfxFile: string });

async function write({ chain, key, ca, crls }: Situation): Promise<Files> {
  const write = async (name: string, content: string): Promise<string> => {
    const file = path.join(folder, name);
    await writeFile(file, content, { mode: 0o600 });
    return file;
  };
  const pem = (made: readonly Made[]): string => made.map(({ der }) => toPem('CERTIFICATE', der)).join('');
  const [own] = [...(key === undefined ? [] : [key]), ...chain];
  if (own === undefined) throw new Error('a situation needs a certificate');
  // Without a CA the certificate itself is trusted.
  const trusted = ca === undefined ? [root] : ca.length === 0 ? chain : ca;
  return {
    certFile: await write('server.crt', pem(chain)),
    keyFile: await write('server.key', own.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string),
    caFile: await write('ca.crt', pem(trusted)),
    crlFile: crls && (await write('ca.crl', crls.map((der) => toPem('X509 CRL', der)).join(''))),
  };
}

async function byCheck({ caFile, crlFile, ...own }: ServedFiles): Promise<string[]> {
  const { sortFiles } = await import('../../../packages/cli/src/check/sorted-files.js');
  const { certificates } = await sortFiles([caFile], undefined);
  const files = [...Object.values(own), ...(crlFile === undefined ? [] : [crlFile])];
  const trusted = certificates.flatMap(({ chain }) => chain);
  const reports = await checkFiles(files, { trusted, passphrase: undefined, at: new Date() });
  return reports.flatMap(({ findings }) => findings.map(({ severity, rule }) => `${severity} ${rule}`));
}

async function byVerify({ certFile, caFile, crlFile }: Files): Promise<boolean> {
  const crls = crlFile === undefined ? undefined : [{ file: crlFile }];
  const verdict = await verifyChain({
    chain: { file: certFile },
    ca: { file: caFile },
    name: 'localhost',
    crls,
  });
  return verdict.ok;
}

/** Whether it starts, and whether a client connects then; the client's own list is the server's. */
async function byServing(
  files: ServedFiles,
): Promise<{ starts: boolean; warnings: Credentials['warnings']; connects: boolean | undefined }> {
  const { caFile, crlFile } = files;
  let credentials: Credentials | undefined;
  const server = await loadCredentials(files)
    .then((loaded) =>
      listen({ port: 0, host: '127.0.0.1', credentials: (credentials = loaded) }, () => undefined),
    )
    .catch(refusal);
  const warnings = credentials?.warnings ?? [];
  if (server === null) return { starts: false, warnings, connects: undefined };
  const trust = await loadCredentials({ caFile, crlFile });
  const connects = await connect({
    host: 'localhost',
    port: portOf(server),
    credentials: trust,
    resume: false,
  })
    .then((connection) => connection.close().then(() => true))
    .catch((error: unknown) => refusal(error) ?? false);
  await server.close();
  return { starts: true, warnings, connects };
}

/** Any other failure is an error of the test. */
function refusal(error: unknown): null {
  if (/^KNSOCK_(CREDENTIALS|PEER)_/.test(String((error as { code?: unknown }).code))) return null;
  throw error;
}

const everything = [...Object.entries(situations), ...Object.entries(scopes), ...byKeys];

describe.each(everything)('%s', (_what, situation) => {
  it('is the same to verify, check, a server and a client', async () => {
    const files = await write(situation);
    const { starts, warnings, connects } = await byServing(files);
    const findings = await byCheck(files);
    expect({
      starts,
      trusted: await byVerify(files),
      connects,
      warns: starts && warnings.length > 0,
    }).toEqual({
      starts: situation.starts,
      trusted: situation.trusted,
      connects: situation.starts ? situation.trusted : undefined,
      warns: situation.starts && situation.warns === true,
    });
    const errors = findings.filter((finding) => finding.startsWith('error'));
    // The check reports an error exactly where another of them refuses.
    const passes = situation.checkPasses ?? (situation.starts && situation.trusted);
    expect(passes ? errors : errors.length > 0).toEqual(passes ? [] : true);
    if (situation.warns === true)
      expect(findings).toContainEqual(
        expect.stringMatching(/(error|warning) (chain-order|expiry|form|strong-keys)/),
      );
  });
});

describe.each(everything)('%s, as PKCS#12', (_what, situation) => {
  it('is the same to check, a server and a client', async () => {
    const { certFile, keyFile, ...others } = await write(situation);
    const [chain, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
    const pfxFile = path.join(folder, 'server.p12');
    await writeFile(pfxFile, severalKeys({ server: { chain, key } }), { mode: 0o600 });
    const { starts, connects } = await byServing({ pfxFile, ...others });
    const errors = (await byCheck({ pfxFile, ...others })).filter((finding) => finding.startsWith('error'));
    const passes = situation.checkPassesAsPkcs12 ?? situation.checkPasses ?? connects === true;
    expect({ starts, passes, errors: errors.length > 0 }).toEqual({ starts, passes, errors: !passes });
  });
});
