/** The policy table of docs/trust.md, through every API and command: one situation, one answer. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { verifyChain } from '@knsock/certs';
import { connect, createCredentials, crlRevocation, serve } from '@knsock/core';
import { toPem, type RevocationPolicyOptions } from '@knsock/core/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knsock } from '../support/command.js';
import { portOf } from '../support/world.js';
import {
  authorityKeyIdentifier,
  extension,
  generalName,
  integer,
  issueCa,
  issueServer,
  issuingPoint,
  makeCrlDer,
  sequence,
  subjectKeyIdentifier,
  tlv,
  type CrlWish,
  type Made,
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
