/** The policy table of docs/trust.md, and faulty chains, through every API and command: one situation, one answer. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { verifyChain } from '@knsock/certs';
import { connect, createCredentials, crlRevocation, serve } from '@knsock/core';
import { toPem, type RevocationPolicyOptions } from '@knsock/core/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knsock } from '../support/command.js';
import { hear } from '../support/heard.js';
import { stockServer, versions, visit, type Version } from '../support/raw-tls.js';
import { portOf } from '../support/world.js';
import { ourServer } from './attacks/ours.js';
import { ourVisit } from './attacks/our-client.js';
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
  type Wish,
} from '../x509/issue.js';

const day = 86_400_000;
const now = Date.now();
const dates = { notBefore: new Date(now - day), notAfter: new Date(now + 30 * day) };
const lasting = { thisUpdate: new Date(now - day), nextUpdate: new Date(now + day) };

const root = issueCa({ subject: 'CN=Table Root', ...dates });
const middle = issueCa({ subject: 'CN=Table Middle', issuer: root, serial: 0x77, ...dates });
const serverOf = (extensions: readonly Buffer[] = [], issuer: Made = middle) =>
  issueServer({ issuer, serial: 0x1234, names: ['DNS:localhost'], extensions, ...dates });
const place = (uri: string) => tlv(0xa0, tlv(0xa0, generalName(uri)));
const published = (uri: string) => extension('2.5.29.31', sequence(sequence(place(uri))));
const crl = (issuer: Made, wish: Partial<CrlWish> = {}) => makeCrlDer({ issuer, ...lasting, ...wish });
const revoking = { revoked: [{ serial: 0x1234, reason: 1 }] };
const stale = { thisUpdate: new Date(now - 2 * day), nextUpdate: new Date(now - day) };

const keyed = issueCa({
  subject: 'CN=Keyed',
  extensions: [subjectKeyIdentifier(Buffer.alloc(20, 1))],
  ...dates,
});
const misnamed = serverOf([authorityKeyIdentifier(Buffer.alloc(20, 2))], keyed);

interface Situation {
  readonly leaf?: Made;
  readonly ca?: Made;
  readonly crls: readonly Buffer[];
  readonly policy?: RevocationPolicyOptions;
  readonly answer: string;
}

const situations: Readonly<Record<string, Situation>> = {
  "the list of the leaf's issuer": { crls: [crl(middle)], answer: 'trusted' },
  'a list that revokes the leaf': { crls: [crl(middle, revoking)], answer: 'revoked' },
  'a stale list that revokes the leaf': { crls: [crl(middle, { ...stale, ...revoking })], answer: 'revoked' },
  'a list that revokes the intermediate': {
    crls: [crl(middle), crl(root, { revoked: [{ serial: 0x77 }] })],
    answer: 'revoked',
  },
  "the root's list alone": { crls: [crl(root)], answer: 'revocation-unknown' },
  'the list of another CA': {
    crls: [crl(issueCa({ subject: 'CN=Other', ...dates }))],
    answer: 'revocation-unknown',
  },
  'the list of a CA of the same name with another key': {
    crls: [crl(issueCa({ subject: 'CN=Table Middle', ...dates }))],
    answer: 'revocation-unknown',
  },
  'a stale list': { crls: [crl(middle, stale)], answer: 'crl-stale' },
  'a stale list of the root': { crls: [crl(middle), crl(root, stale)], answer: 'crl-stale' },
  'a list without a number': { crls: [crl(middle, { number: null })], answer: 'trusted' },
  'a list of another distribution point': {
    leaf: serverOf([published('URI:http://a.test/1.crl')]),
    crls: [crl(middle, { extensions: [issuingPoint(place('URI:http://a.test/2.crl'))] })],
    answer: 'revocation-unknown',
  },
  "a list of the leaf's distribution point": {
    leaf: serverOf([published('URI:http://a.test/1.crl')]),
    crls: [crl(middle, { extensions: [issuingPoint(place('URI:http://a.test/1.crl'))] })],
    answer: 'trusted',
  },
  'a list for some reasons': {
    crls: [crl(middle, { extensions: [issuingPoint(tlv(0x83, Buffer.of(6, 0x40)))] })],
    answer: 'revocation-unknown',
  },
  'a delta list alone': {
    crls: [crl(middle, { extensions: [extension('2.5.29.27', integer(1), true)] })],
    answer: 'revocation-unknown',
  },
  'a key identifier that contradicts the issuer': {
    leaf: misnamed,
    ca: keyed,
    crls: [crl(keyed)],
    answer: 'unknown-issuer',
  },
  "depth chain, without the root's list": {
    crls: [crl(middle)],
    policy: { depth: 'chain' },
    answer: 'revocation-unknown',
  },
  'depth chain, with both lists': {
    crls: [crl(middle), crl(root)],
    policy: { depth: 'chain' },
    answer: 'trusted',
  },
  'unknown accept, without a list of the leaf': {
    crls: [crl(root)],
    policy: { unknown: 'accept' },
    answer: 'trusted',
  },
  'stale accept, with a stale list': {
    crls: [crl(middle, stale)],
    policy: { stale: 'accept' },
    answer: 'trusted',
  },
  'stale accept, with a stale list that revokes': {
    crls: [crl(middle, { ...stale, ...revoking })],
    policy: { stale: 'accept' },
    answer: 'revoked',
  },
  'unnumbered refuse, with a list without a number': {
    crls: [crl(middle, { number: null })],
    policy: { unnumbered: 'refuse' },
    answer: 'revocation-unknown',
  },
};

const freshest = extension('2.5.29.46', sequence(sequence(place('URI:http://a.test/delta.crl'))));
const fresh = serverOf([freshest]);
const delta = (wish: Partial<CrlWish> = {}, base = 1) =>
  crl(middle, { number: 2, ...wish, extensions: [extension('2.5.29.27', integer(base), true)] });

const deltaSituations: Readonly<Record<string, Situation>> = {
  "a named delta list that isn't loaded": { leaf: fresh, crls: [crl(middle)], answer: 'trusted' },
  'missingDelta refuse, without the delta list that the certificate names': {
    leaf: fresh,
    crls: [crl(middle)],
    policy: { missingDelta: 'refuse' },
    answer: 'revocation-unknown',
  },
  'missingDelta refuse, without the delta list that the list names': {
    crls: [crl(middle, { extensions: [freshest] })],
    policy: { missingDelta: 'refuse' },
    answer: 'revocation-unknown',
  },
  'missingDelta refuse, with the delta list': {
    leaf: fresh,
    crls: [crl(middle), delta()],
    policy: { missingDelta: 'refuse' },
    answer: 'trusted',
  },
  'missingDelta refuse, with a delta list that the complete one has overtaken': {
    leaf: fresh,
    crls: [crl(middle, { number: 3 }), delta()],
    policy: { missingDelta: 'refuse' },
    answer: 'trusted',
  },
  'missingDelta refuse, with a stale delta list': {
    leaf: fresh,
    crls: [crl(middle), delta(stale)],
    policy: { missingDelta: 'refuse' },
    answer: 'revocation-unknown',
  },
  'missingDelta refuse, with the delta list of a later complete one': {
    leaf: fresh,
    crls: [crl(middle), delta({ number: 9 }, 8)],
    policy: { missingDelta: 'refuse' },
    answer: 'revocation-unknown',
  },
  'missingDelta refuse, with the delta list of another key': {
    leaf: fresh,
    crls: [
      crl(middle),
      crl(issueCa({ subject: 'CN=Table Middle', ...dates }), {
        number: 2,
        extensions: [extension('2.5.29.27', integer(1), true)],
      }),
    ],
    policy: { missingDelta: 'refuse' },
    answer: 'revocation-unknown',
  },
  'missingDelta refuse, with a delta list that revokes the leaf': {
    leaf: fresh,
    crls: [crl(middle), delta(revoking)],
    policy: { missingDelta: 'refuse' },
    answer: 'revoked',
  },
  'missingDelta refuse, where nothing names a delta list': {
    crls: [crl(middle)],
    policy: { missingDelta: 'refuse' },
    answer: 'trusted',
  },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-table-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const certificatePem = ({ der }: Made) => toPem('CERTIFICATE', der);

function filesOf({ leaf = serverOf(), ca = root, crls }: Situation) {
  const chain = leaf === misnamed ? [leaf] : [leaf, middle];
  return {
    chain: chain.map(certificatePem).join(''),
    key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    ca: certificatePem(ca),
    crl: crls.map((der) => toPem('X509 CRL', der)).join(''),
  };
}

/** A client that verifies a server. */
async function overTls(situation: Situation): Promise<string> {
  const { chain, key, ca, crl: lists } = filesOf(situation);
  const { policy } = situation;
  await using server = await serve(
    { port: 0, host: '127.0.0.1', credentials: createCredentials({ cert: chain, key }) },
    ({ payload }) => payload,
  );
  const credentials = createCredentials(policy === undefined ? { ca, crl: lists } : { ca });
  const revocation = policy && { revocation: crlRevocation({ crls: [lists], ...policy }) };
  return await connect({
    host: 'localhost',
    port: portOf(server),
    credentials,
    resume: false,
    ...revocation,
  }).then(
    async (connection) => {
      await connection.close();
      return 'trusted';
    },
    (error: unknown) => (error as { reason?: string }).reason ?? (error as Error).message,
  );
}

async function byVerifyChain(situation: Situation): Promise<string> {
  const { chain, ca, crl: lists } = filesOf(situation);
  const verdict = await verifyChain({
    chain,
    ca,
    name: 'localhost',
    crls: [lists],
    revocation: situation.policy,
  });
  return verdict.ok ? 'trusted' : verdict.reason;
}

async function write(situation: Situation): Promise<Record<'chain' | 'ca' | 'crl', string>> {
  const files = filesOf(situation);
  const paths = {
    chain: path.join(folder, 'server.pem'),
    ca: path.join(folder, 'ca.pem'),
    crl: path.join(folder, 'list.crl'),
  };
  await Promise.all([
    writeFile(paths.chain, files.chain),
    writeFile(paths.ca, files.ca),
    writeFile(paths.crl, files.crl),
  ]);
  return paths;
}

/** Each setting of a policy is a flag: `depth` is `--revocation-depth`. */
function flagsOf({ policy = {} }: Situation): string[] {
  return Object.entries(policy).flatMap(([setting, value]) => [
    `--revocation-${setting.replace('D', '-d')}`,
    String(value),
  ]);
}

async function byCommand(situation: Situation): Promise<string> {
  const { chain, ca, crl: lists } = await write(situation);
  const { stdout, stderr, code } = await knsock([
    ...['certs', 'verify', chain, '--ca', ca, '--name', 'localhost', '--crl', lists],
    ...flagsOf(situation),
  ]);
  return code === 0 ? 'trusted' : (/not trusted \(([a-z-]+)\)/.exec(stdout + stderr)?.[1] ?? stdout + stderr);
}

async function byCheck(situation: Situation): Promise<string> {
  const { chain, ca, crl: lists } = await write(situation);
  const { stdout, stderr } = await knsock(['check', chain, ca, lists, ...flagsOf(situation)]);
  return (
    /(revoked|revocation-unknown|crl-stale|unknown-issuer): certificate/.exec(stdout + stderr)?.[1] ??
    'trusted'
  );
}

describe.each([...Object.entries(situations), ...Object.entries(deltaSituations)])(
  'with %s',
  (_what, situation) => {
    it(`a connection and verifyChain say ${situation.answer}`, async () => {
      expect({ connection: await overTls(situation), verifyChain: await byVerifyChain(situation) }).toEqual({
        connection: situation.answer,
        verifyChain: situation.answer,
      });
    });

    it(`certs verify and check say ${situation.answer}`, async () => {
      expect({ verify: await byCommand(situation), check: await byCheck(situation) }).toEqual({
        verify: situation.answer,
        check: situation.answer,
      });
    });
  },
);

/** For servers and for clients, so that each side can be shown it. */
const peerOf = (issuer: Made | null, wish: Partial<Wish> = {}) =>
  issue({
    ...(issuer && { issuer }),
    subject: 'CN=localhost',
    ...dates,
    ...wish,
    extensions: [
      basicConstraints(false),
      keyUsage(0),
      extendedKeyUsage('server', 'client'),
      subjectAltName('DNS:localhost'),
      ...(wish.extensions ?? []),
    ],
  });
const bareOf = (...extensions: readonly Buffer[]) =>
  issue({ subject: 'CN=localhost', issuer: root, ...dates, extensions });
const below = (wish: Partial<Wish> & { pathLength?: number } = {}) =>
  issueCa({ subject: 'CN=Below', issuer: root, ...dates, ...wish });
/** A leaf and its issuer. */
const chained = (issuer: Made, wish: Partial<Wish> = {}) => [peerOf(issuer, wish), issuer];
const notCa = (...extensions: readonly Buffer[]) =>
  issue({ subject: 'CN=No CA', issuer: root, ...dates, extensions });

const past = { notBefore: new Date(now - 9 * day), notAfter: new Date(now - day) };
const future = { notBefore: new Date(now + day), notAfter: new Date(now + 9 * day) };
const short = below({ pathLength: 0 });
const deep = issueCa({ subject: 'CN=Deep', issuer: short, ...dates });
const stranger = issueCa({ subject: 'CN=Stranger', ...dates });
const namesake = issueCa({ subject: 'CN=Below', ...dates });
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }) as unknown as Made;
const sha256WithRsa = sequence(oid('1.2.840.113549.1.1.11'), tlv(0x05));
const sha1 = { algorithm: sequence(oid('1.2.840.10045.4.1')), digest: 'sha1' };
const critical = extension('1.2.3.4', octets(Buffer.of(1)), true);
const limitedTo = (...permitted: string[]) => below({ extensions: [nameConstraints({ permitted })] });
const without = (...excluded: string[]) => below({ extensions: [nameConstraints({ excluded })] });
const keyIdentified = below({ extensions: [subjectKeyIdentifier(Buffer.alloc(20, 1))] });
const version1 = issue({ subject: 'CN=Version One', issuer: root, version: 1, ...dates });
const rootOfVersion1 = issue({ subject: 'CN=Root of Version One', version: 1, ...dates });
const expiredRoot = issueCa({ subject: 'CN=Expired Root', ...past });
const renewedRoot = issueCa({ subject: 'CN=Expired Root', keyOf: expiredRoot, ...dates });
const codeRoot = issueCa({ subject: 'CN=Code', ...dates, extensions: [extendedKeyUsage('code')] });
const netscapeType = (bits: number) => extension('2.16.840.1.113730.1.1', tlv(0x03, Buffer.of(0, bits)));
const selfSigned = peerOf(null);
const excludesLoopback = without('IP:7f000000ff000000');
const addressed = issue({
  subject: 'CN=localhost',
  issuer: excludesLoopback,
  ...dates,
  extensions: [
    keyUsage(0),
    extendedKeyUsage('server', 'client'),
    subjectAltName('DNS:localhost', 'IP:7f000001'),
  ],
});

/** What is shown, the trusted CAs where they aren't the root, and the one answer. */
interface Faulty {
  readonly chain: readonly Made[];
  readonly ca?: readonly Made[];
  readonly answer: string;
}

const faulty: Readonly<Record<string, Faulty>> = {
  'nothing wrong': { chain: chained(below()), answer: 'trusted' },
  'the root sent along': { chain: [...chained(below()), root], answer: 'trusted' },
  'an issuer without basic constraints': { chain: chained(notCa()), answer: 'wrong-usage' },
  'an issuer that says that it is no CA': {
    chain: chained(notCa(basicConstraints(false))),
    answer: 'wrong-usage',
  },
  'an issuer that says so, with a key usage for signing messages alone': {
    chain: chained(notCa(basicConstraints(false), keyUsage(0))),
    answer: 'wrong-usage',
  },
  'an issuer with a key usage for signing messages alone': {
    chain: chained(notCa(keyUsage(0))),
    answer: 'wrong-usage',
  },
  'a CA that may sign lists alone': {
    chain: chained(notCa(basicConstraints(true), keyUsage(6))),
    answer: 'wrong-usage',
  },
  'a leaf that issued another': {
    chain: chained(peerOf(root, { subject: 'CN=Leaf' })),
    answer: 'wrong-usage',
  },
  'a CA of version 1': { chain: chained(version1), answer: 'wrong-usage' },
  'a root of version 1': { chain: [peerOf(rootOfVersion1)], ca: [rootOfVersion1], answer: 'wrong-usage' },
  'a CA more than may follow': { chain: [peerOf(deep), deep, short], answer: 'path-length' },
  'a missing issuer': { chain: [peerOf(below())], answer: 'unknown-issuer' },
  'an unrelated issuer': { chain: [peerOf(below()), stranger], answer: 'unknown-issuer' },
  'an unknown root': { chain: [peerOf(stranger), stranger], answer: 'unknown-issuer' },
  'an unknown root that is not sent': { chain: [peerOf(stranger)], answer: 'unknown-issuer' },
  'a self-signed leaf': { chain: [selfSigned], answer: 'self-signed' },
  'a self-signed leaf that is trusted itself': { chain: [selfSigned], ca: [selfSigned], answer: 'trusted' },
  'a CA of the same name and another key': { chain: [peerOf(below()), namesake], answer: 'unknown-issuer' },
  'a key identifier of another key': {
    chain: chained(keyIdentified, { extensions: [authorityKeyIdentifier(Buffer.alloc(20, 2))] }),
    answer: 'unknown-issuer',
  },
  'an expired leaf': { chain: chained(below(), past), answer: 'expired' },
  'a leaf of tomorrow': { chain: chained(below(), future), answer: 'not-yet-valid' },
  'an expired intermediate': { chain: chained(below(past)), answer: 'expired' },
  'an intermediate of tomorrow': { chain: chained(below(future)), answer: 'not-yet-valid' },
  'an expired root': { chain: [peerOf(expiredRoot)], ca: [expiredRoot], answer: 'expired' },
  'an expired root beside its successor with the same key': {
    chain: [peerOf(expiredRoot)],
    ca: [expiredRoot, renewedRoot],
    answer: 'trusted',
  },
  'a leaf for code signing': {
    chain: [bareOf(keyUsage(0), extendedKeyUsage('code'), subjectAltName('DNS:localhost'))],
    answer: 'wrong-usage',
  },
  'a leaf for any use alone': {
    chain: [bareOf(keyUsage(0), extendedKeyUsage('any'), subjectAltName('DNS:localhost'))],
    answer: 'wrong-usage',
  },
  "a leaf of Netscape's type for mail": {
    chain: chained(below(), { extensions: [netscapeType(0x20)] }),
    answer: 'wrong-usage',
  },
  'a CA for code signing': {
    chain: chained(below({ extensions: [extendedKeyUsage('code')] })),
    answer: 'wrong-usage',
  },
  'a root for code signing': { chain: [peerOf(codeRoot)], ca: [codeRoot], answer: 'wrong-usage' },
  'a name outside of what is permitted': {
    chain: chained(limitedTo('DNS:elsewhere.test')),
    answer: 'name-constraint',
  },
  'an excluded name': { chain: chained(without('DNS:localhost')), answer: 'name-constraint' },
  'an excluded directory name': { chain: chained(without('dir:CN=localhost')), answer: 'name-constraint' },
  'an excluded address': {
    chain: [addressed, excludesLoopback],
    answer: 'name-constraint',
  },
  'an unknown critical extension of the leaf': {
    chain: chained(below(), { extensions: [critical] }),
    answer: 'malformed',
  },
  'an unknown critical extension of an intermediate': {
    chain: chained(below({ extensions: [critical] })),
    answer: 'malformed',
  },
  'a leaf that may sign certificates': {
    chain: [
      bareOf(
        basicConstraints(false),
        keyUsage(0, 5),
        extendedKeyUsage('server', 'client'),
        subjectAltName('DNS:localhost'),
      ),
    ],
    answer: 'malformed',
  },
  'an RSA key of 1,024 bits': {
    chain: chained(below({ keyOf: rsa(1_024) }), { algorithm: sha256WithRsa }),
    answer: 'weak',
  },
  'a signature by SHA-1': { chain: chained(below(), sha1), answer: 'weak' },
  'an intermediate signed by SHA-1': { chain: chained(below(sha1)), answer: 'weak' },
};

const pems = (certificates: readonly Made[]) => certificates.map(certificatePem).join('');
const keyPem = ({ privateKey }: Made) => privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

/** Shown by stock Node, which shows anything; `SECLEVEL=0` lets it sign by weak keys. */
const showing = ({ chain }: Faulty, version: Version) => ({
  cert: pems(chain),
  key: keyPem(chain[0] as Made),
  minVersion: version,
  maxVersion: version,
  ciphers: 'DEFAULT:@SECLEVEL=0',
});

async function ofServer(one: Faulty, version: Version): Promise<string> {
  await using server = await stockServer(showing(one, version));
  const credentials = createCredentials({ ca: pems(one.ca ?? [root]) });
  return await ourVisit(version, server.port, { credentials, servername: 'localhost', resume: false }).then(
    () => 'trusted',
    (error: unknown) => (error as { reason?: string }).reason ?? String(error),
  );
}

const own = peerOf(root);

async function ofClient(one: Faulty, version: Version): Promise<string> {
  using verdicts = hear('knsock:verdict');
  const ca = pems(one.ca ?? [root]);
  const credentials = createCredentials({ cert: certificatePem(own), key: keyPem(own), ca });
  await using server = await ourServer(version, { credentials, clientCertificates: 'require' });
  await visit(portOf(server), showing(one, version));
  const [verdict] = verdicts.events;
  return verdict?.['ok'] === true ? 'trusted' : String(verdict?.['reason']);
}

describe.each(Object.entries(faulty))('with %s', (_what, one) => {
  it.each(versions)(`a client and a server say ${one.answer}, over %s`, async (version) => {
    expect([await ofServer(one, version), await ofClient(one, version)]).toEqual([one.answer, one.answer]);
  });

  it.each(['server', 'client'] as const)(
    `verifyChain and certs verify say ${one.answer}, of a %s`,
    async (usage) => {
      const [chain, ca] = [pems(one.chain), pems(one.ca ?? [root])];
      const verdict = await verifyChain({ chain, ca, usage });
      const files = [path.join(folder, 'chain.pem'), path.join(folder, 'cas.pem')] as const;
      await Promise.all([writeFile(files[0], chain), writeFile(files[1], ca)]);
      const verified = await knsock([
        'certs',
        'verify',
        files[0],
        '--ca',
        files[1],
        '--usage',
        usage,
        '--json',
      ]);
      const said = JSON.parse(verified.stdout) as { ok: boolean; reason?: string };
      expect([verdict.ok ? 'trusted' : verdict.reason, said.reason ?? 'trusted']).toEqual([
        one.answer,
        one.answer,
      ]);
    },
  );

  it(`check says ${one.answer}`, async () => {
    const files = [path.join(folder, 'checked.pem'), path.join(folder, 'cas.pem')] as const;
    await Promise.all([writeFile(files[0], pems(one.chain)), writeFile(files[1], pems(one.ca ?? [root]))]);
    const { stdout } = await knsock(['check', files[0], '--ca', files[1], '--json']);
    const { findings } = JSON.parse(stdout) as { findings: { rule: string; evidence: string }[] };
    const found = findings.find(({ rule }) => rule === 'verification');
    expect(found?.evidence.split(':')[0] ?? 'trusted').toBe(one.answer);
  });
});
