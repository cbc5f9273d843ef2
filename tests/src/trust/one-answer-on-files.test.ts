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
  extension,
  generalName,
  integer,
  issueCa,
  issuingPoint,
  oid,
  sequence,
  subjectKeyIdentifier,
  tlv,
  type CrlWish,
  type Made,
} from '../x509/issue.js';
import {
  crl,
  dates,
  good,
  leaf,
  middle,
  root,
  server,
  situations,
  stranger,
  type Situation,
} from './situations.js';

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
