/**
 * What `certs lint` and `knsock check` both look at has one grade: their findings about every chain here are compared, rule
 * by rule.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lint } from '@knsock/certs';
import { toPem } from '@knsock/core/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  authorityRules,
  certificateRules,
  leafRules,
} from '../../../packages/certs/src/inspecting/lint-rules.js';
import { checkFiles } from '../../../packages/cli/src/check/files.js';
import { chainRules } from '../../../packages/cli/src/check/rules.js';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  extension,
  issue,
  issueCa,
  keyUsage,
  octets,
  oid,
  type purposes,
  sequence,
  subjectAltName,
  subjectKeyIdentifier,
  tlv,
  type Made,
} from '../x509/issue.js';
import { dates, day, leaf, middle, past, root, server, situations, stranger } from './situations.js';

/** Rules of the check, with those of the linting that say the same. */
const common: Readonly<Record<string, readonly string[]>> = {
  'strong-keys': ['weak-key', 'weak-signature', 'unusable-key'],
  expiry: ['expired', 'not-yet-valid'],
  form: ['refused', 'any-usage', 'netscape-type', 'no-signing', 'no-certificate-signing'],
  names: ['no-names', 'no-usable-name', 'unmatchable-name'],
  'chain-order': ['chain-order', 'key-identifiers', 'chain-signature'],
  rotation: ['long-validity'],
};
/** It asks for more than a certificate's own qualities: a CA, a list, every peer. */
const ofCheckAlone = ['ca-signed', 'revocation', 'tls12-peers'];
/** What no peer of ours refuses, and hardly any other. */
const ofLintAlone = [
  'old-version',
  'short-serial',
  'no-extended-usage',
  'name-not-listed',
  'no-key-usage',
  'soft-authority',
  'no-key-identifier',
  'root-in-chain',
];

type Use = keyof typeof purposes;
type Grades = Readonly<Record<string, string>>;

const weakKey = generateKeyPairSync('rsa', { modulusLength: 1_024 });
const bySha1 = { algorithm: sequence(oid('1.2.840.10045.4.1')), digest: 'sha1' };
const byUnknown = { algorithm: sequence(oid('1.2.3.4')) };
const weakMiddle = issueCa({
  subject: 'CN=Middle',
  keyOf: middle,
  issuer: root,
  serial: 9,
  ...dates,
  ...bySha1,
});
const unknownMiddle = issueCa({
  subject: 'CN=Middle',
  keyOf: middle,
  issuer: root,
  serial: 10,
  ...dates,
  ...byUnknown,
});
const weakRoot = issueCa({
  subject: 'CN=Weak',
  keyOf: weakKey,
  algorithm: sequence(oid('1.2.840.113549.1.1.11')),
  ...dates,
});
const netscapeType = (bits: number) => extension('2.16.840.1.113730.1.1', tlv(0x03, Buffer.of(0, bits)));
const used = (...uses: Use[]) =>
  issue({
    subject: 'CN=localhost',
    issuer: root,
    extensions: [keyUsage(0), extendedKeyUsage(...uses), subjectAltName('DNS:localhost')],
    ...dates,
  });
const typed = (bits: number, ...uses: Use[]) =>
  issue({
    subject: 'CN=localhost',
    issuer: root,
    extensions: [
      keyUsage(0),
      ...(uses.length === 0 ? [] : [extendedKeyUsage(...uses)]),
      netscapeType(bits),
      subjectAltName('DNS:localhost'),
    ],
    ...dates,
  });
const named = (...names: string[]) => server(root, { names });
const nameless = (...uses: Use[]) =>
  issue({
    subject: 'CN=localhost',
    issuer: root,
    extensions: [keyUsage(0), extendedKeyUsage(...uses)],
    ...dates,
  });
const lasting = (days: number) =>
  server(root, {
    notBefore: dates.notBefore,
    notAfter: new Date(dates.notBefore.getTime() + days * day - 1_000),
  });

const keyed = (byte: number) =>
  issueCa({
    ...{
      subject: 'CN=Keyed',
      issuer: root,
      serial: byte,
      extensions: [subjectKeyIdentifier(Buffer.alloc(20, byte))],
    },
    ...dates,
  });
const oldKey = keyed(1);
const ofOldKey = server(oldKey, { extensions: [authorityKeyIdentifier(Buffer.alloc(20, 1))] });

const more: Readonly<Record<string, readonly Made[]>> = {
  'the leaf twice, and nothing else': [leaf, leaf],
  'a self-signed certificate twice': [server(null), server(null)],
  'the leaf three times': [leaf, middle, leaf, leaf],
  'a CA twice': [root, root],
  'CAs that have nothing to do with each other': [root, stranger],
  'an expired CA alone': [issueCa({ subject: 'CN=Old', ...past })],
  'a weak CA alone': [weakRoot],
  'a CA signed by an algorithm that nobody knows': [unknownMiddle],
  "a CA that mayn't sign": [
    issue({ subject: 'CN=CA', extensions: [basicConstraints(true), keyUsage(6)], ...dates }),
  ],
  'a CA with an unknown critical extension': [
    issueCa({ subject: 'CN=CA', extensions: [extension('1.2.3.4', octets(Buffer.of(1)), true)], ...dates }),
  ],
  'a weak issuer beside a strong one': [leaf, weakMiddle, middle],
  'a weak issuer alone': [leaf, weakMiddle],
  'a weak certificate that issued nothing': [leaf, middle, weakRoot],
  'a weak leaf beside a weak issuer': [server(middle, { keyOf: weakKey }), weakMiddle],
  'a weak issuer twice': [leaf, weakMiddle, weakMiddle],
  'the new key of a CA for the old one': [ofOldKey, keyed(2)],
  'the new key of a CA beside the old one': [ofOldKey, keyed(2), oldKey],
  'an expired stranger': [leaf, middle, issueCa({ subject: 'CN=Old', ...past })],
  'an issuer signed by an algorithm that nobody knows': [leaf, unknownMiddle],
  'a leaf signed by an algorithm that nobody knows': [server(root, byUnknown)],
  'a leaf signed by SHA-1': [server(root, bySha1)],
  'a wildcard below a reserved domain': [named('DNS:*.test')],
  'a wildcard for everything': [named('DNS:*')],
  'a wildcard below a reserved domain beside a name': [named('DNS:*.test', 'DNS:localhost')],
  'a URL for a name': [named('DNS:https://localhost')],
  'a URL for a name beside a name': [named('DNS:https://localhost', 'DNS:localhost')],
  'a server without a name': [nameless('server')],
  'a server and client without a name': [nameless('server', 'client')],
  'a client without a name': [nameless('client')],
  'a client and mail certificate without a name': [nameless('client', 'any')],
  'a certificate for anything': [used('any')],
  'a year and a month': [lasting(398)],
  'a day more': [lasting(398.5)],
  'ten years': [lasting(3_650)],
  "Netscape's type for servers, of both": [typed(0x40, 'server', 'client')],
  "Netscape's type for clients, of both": [typed(0x80, 'server', 'client')],
  "Netscape's type for clients, where nothing else says": [typed(0x80)],
  "Netscape's type for servers, where nothing else says": [typed(0x40)],
  "Netscape's type for mail, where nothing else says": [typed(0x20)],
};

const all = new Map([
  ...Object.entries(situations).map(([what, { chain }]) => [what, chain] as const),
  ...Object.entries(more),
]);

const order = ['error', 'warning', 'notice'];

/** The most severe finding of each rule of the check. */
function worst(found: readonly (readonly [rule: string, severity: string])[]): Grades {
  const grades: Record<string, string> = {};
  for (const [rule, severity] of found) {
    const earlier = grades[rule];
    if (earlier === undefined || order.indexOf(severity) < order.indexOf(earlier)) grades[rule] = severity;
  }
  return grades;
}

const toCommon = (lintRule: string): string[] =>
  Object.entries(common).flatMap(([rule, same]) => (same.includes(lintRule) ? [rule] : []));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-grades-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const pemOf = (chain: readonly Made[]) => chain.map(({ der }) => toPem('CERTIFICATE', der)).join('');

async function gradesOfCheck(pem: string): Promise<Grades> {
  const file = path.join(folder, 'chain.crt');
  await writeFile(file, pem);
  const reports = await checkFiles([file], { trusted: [], passphrase: undefined, at: new Date() });
  const findings = reports.flatMap((report) => report.findings);
  return worst(findings.flatMap(({ rule, severity }) => (rule in common ? [[rule, severity] as const] : [])));
}

describe('a grade', () => {
  it('is the same of lint and check, rule by rule', async () => {
    const differing: unknown[] = [];
    for (const [what, chain] of all) {
      // Lint isn't for TLS alone.
      if (what === 'a certificate for code signing') continue;
      const pem = pemOf(chain);
      const findings = await lint(pem);
      const ofLint = worst(
        findings.flatMap(({ rule, severity }) => toCommon(rule).map((one) => [one, severity] as const)),
      );
      const ofCheck = await gradesOfCheck(pem);
      for (const rule of Object.keys(common)) {
        if (ofLint[rule] !== ofCheck[rule])
          differing.push({ what, rule, lint: ofLint[rule], check: ofCheck[rule], findings });
      }
    }
    expect(differing).toEqual([]);
  });

  it('is compared of every rule that both have, with a chain that breaks it', async () => {
    expect([...Object.keys(common), ...ofCheckAlone].sort()).toEqual(chainRules.map(({ id }) => id).sort());
    const fired = new Set<string>();
    for (const chain of all.values()) for (const { rule } of await lint(pemOf(chain))) fired.add(rule);
    const known = [...Object.values(common).flat(), ...ofLintAlone];
    const listed = [...certificateRules, ...leafRules, ...authorityRules].map(({ rule }) => rule);
    expect([...fired, ...listed].filter((rule) => !known.includes(rule))).toEqual([]);
    expect(
      Object.values(common)
        .flat()
        .filter((rule) => !fired.has(rule)),
    ).toEqual([]);
  });
});
