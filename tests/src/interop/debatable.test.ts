/**
 * Certificates that public validators disagree on. The table in docs/trust.md says how each decides; here the programs
 * decide anew, and each of its cells must be what they say.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { toPem, verifyPathSync } from '@knsock/core/x509';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readDocument } from '../docs/documents.js';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extension,
  issue,
  issueCa,
  issueServer,
  keyUsage,
  makeCrlDer,
  oid,
  sequence,
  subjectAltName,
  subjectKeyIdentifier,
  tlv,
  type Made,
} from '../x509/issue.js';
import { needsTools, toolPath } from './tools.js';

const NAME = 'a.test';
const DAY = 86_400_000;
const dates = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + 30 * DAY) };

interface Case {
  readonly leaf: Buffer;
  readonly root: Buffer;
  readonly list?: Buffer;
}

const self = ({ der }: Made): Case => ({ leaf: der, root: der });
const ID = Buffer.alloc(20, 1);
const OTHER_ID = Buffer.alloc(20, 2);
const root = (): Made => issueCa({ subject: 'CN=Root', extensions: [subjectKeyIdentifier(ID)], ...dates });
const below = (issuer: Made, id = ID, algorithm?: Buffer): Made =>
  issueServer({
    issuer,
    extensions: [authorityKeyIdentifier(id)],
    ...dates,
    ...(algorithm !== undefined && { algorithm }),
  });
const chain = (issuer: Made, leaf = below(issuer)): Case => ({ leaf: leaf.der, root: issuer.der });
/** A certificate that may sign others by its key usage alone. */
const signsThough = [basicConstraints(false), keyUsage(0, 5), subjectAltName(`DNS:${NAME}`)];

/** By the words of the table's first column. */
const cases: Readonly<Record<string, () => Case>> = {
  'a trust anchor of version 1': () => chain(issue({ subject: 'CN=Root', version: 1, ...dates })),
  'a certificate without an issuer name': () =>
    self(issue({ subject: '', extensions: [subjectAltName(`DNS:${NAME}`)], ...dates })),
  '`keyCertSign` without `CA:TRUE`, issued by a CA': () => {
    const issuer = root();
    const extensions = [...signsThough, authorityKeyIdentifier(ID)];
    return chain(issuer, issue({ subject: `CN=${NAME}`, issuer, extensions, ...dates }));
  },
  '`keyCertSign` without `CA:TRUE`, self-signed and trusted': () =>
    self(issue({ subject: `CN=${NAME}`, extensions: signsThough, ...dates })),
  'a key identifier that contradicts the issuer': () => {
    const issuer = root();
    return chain(issuer, below(issuer, OTHER_ID));
  },
  'ECDSA whose algorithm has a NULL parameter': () => {
    const issuer = root();
    return chain(issuer, below(issuer, ID, sequence(oid('1.2.840.10045.4.3.2'), tlv(0x05))));
  },
  'a Netscape certificate type that lacks the use asked for (a leaf for SSL clients, shown by a server)':
    () => {
      const issuer = root();
      const clientsAlone = extension('2.16.840.1.113730.1.1', tlv(0x03, Buffer.of(0, 0x80)));
      return chain(
        issuer,
        issueServer({ issuer, extensions: [authorityKeyIdentifier(ID), clientsAlone], ...dates }),
      );
    },
  'a list entry with an unknown reason': () => {
    const issuer = root();
    const leaf = below(issuer);
    const revoked = [{ serial: BigInt(`0x${leaf.certificate.serial}`), reason: 11 }];
    const list = { thisUpdate: dates.notBefore, nextUpdate: dates.notAfter };
    const extensions = [authorityKeyIdentifier(ID)];
    return { ...chain(issuer, leaf), list: makeCrlDer({ issuer, revoked, extensions, ...list }) };
  },
};

/** What a validator decides, in the words of the table. */
type Word = 'accepted' | 'refused' | 'revoked';

interface Validator {
  readonly tools: readonly string[];
  readonly judge: (judged: Case) => string;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'knsock-debatable-'));
  if (toolPath('go') === undefined) return;
  writeFileSync(path.join(folder, 'verify.go'), GO);
  const env = { ...process.env, GO111MODULE: 'off', GOFLAGS: '', GOCACHE: path.join(folder, 'cache') };
  execFileSync('go', ['build', '-o', 'verify', 'verify.go'], { cwd: folder, env });
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const GO = `package main
import ("crypto/x509"; "encoding/pem"; "fmt"; "os")
func read(file string) []byte {
	text, _ := os.ReadFile(file)
	block, _ := pem.Decode(text)
	if block == nil { return nil }
	return block.Bytes
}
func judge() error {
	root, err := x509.ParseCertificate(read("root.pem"))
	if err != nil { return err }
	leaf, err := x509.ParseCertificate(read("leaf.pem"))
	if err != nil { return err }
	roots := x509.NewCertPool()
	roots.AddCert(root)
	if _, err = leaf.Verify(x509.VerifyOptions{DNSName: "${NAME}", Roots: roots}); err != nil { return err }
	if len(os.Args) < 2 { return nil }
	list, err := x509.ParseRevocationList(read("list.pem"))
	if err != nil { return err }
	if err = list.CheckSignatureFrom(root); err != nil { return err }
	for _, entry := range list.RevokedCertificates {
		if entry.SerialNumber.Cmp(leaf.SerialNumber) == 0 { return fmt.Errorf("revoked") }
	}
	return nil
}
func main() {
	if err := judge(); err != nil { fmt.Println("refused:", err) } else { fmt.Println("accepted") }
}
`;

function run(program: string, ...args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(toolPath(program) ?? program, args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return stdout + stderr;
}

/** @throws where the program said neither that it accepts nor why it refuses */
function word(said: string, accepted: RegExp, refused: RegExp): Word {
  if (/revoked/i.test(said)) return 'revoked';
  if (accepted.test(said)) return 'accepted';
  if (refused.test(said)) return 'refused';
  throw new Error(`it decided nothing: ${said}`);
}

function openssl({ list }: Case, ...strict: string[]): Word {
  const lists = list === undefined ? [] : ['-crl_check', '-CRLfile', 'list.pem'];
  const how = ['-CAfile', 'root.pem', '-purpose', 'sslserver', '-verify_hostname', NAME];
  return word(run('openssl', 'verify', ...how, ...lists, ...strict, 'leaf.pem'), /: OK/, /error \d+ at/);
}

function nss({ list }: Case): Word {
  const database = `sql:${mkdtempSync(path.join(folder, 'nss-'))}`;
  run('certutil', '-N', '-d', database, '--empty-password');
  run('certutil', '-A', '-d', database, '-n', 'root', '-t', 'CT,C,C', '-i', 'root.pem');
  if (list !== undefined) run('crlutil', '-I', '-d', database, '-i', 'list.der');
  return word(run('vfychain', '-d', database, '-u', '1', '-a', 'leaf.pem'), /Chain is good/, /Chain is bad/);
}

function knsock({ leaf, root: anchor, list }: Case): Word {
  const lists = list === undefined ? {} : { crls: [list] };
  const result = verifyPathSync({ leaf, anchors: [anchor], usage: 'server', name: NAME, ...lists });
  return result.ok ? 'accepted' : result.reason === 'revoked' ? 'revoked' : 'refused';
}

/** By the heads of the table's columns. */
const validators: Readonly<Record<string, Validator>> = {
  knsock: { tools: [], judge: knsock },
  openssl: {
    tools: ['openssl'],
    judge: (judged) => {
      const plain = openssl(judged);
      const strict = openssl(judged, '-x509_strict');
      return plain === strict ? plain : `${plain}, ${strict} with \`-x509_strict\``;
    },
  },
  Go: {
    tools: ['go'],
    judge: ({ list }) =>
      word(run(path.join(folder, 'verify'), ...(list ? ['list'] : [])), /^accepted/, /^refused/),
  },
  NSS: { tools: ['certutil', 'crlutil', 'vfychain'], judge: nss },
};

/** Rows of the table, by column. */
function table(): Readonly<Record<string, string>>[] {
  const { text } = readDocument('docs/trust.md');
  const section = text.slice(text.indexOf('## Where others decide otherwise'));
  const rows = section
    .slice(section.indexOf('| case'), section.indexOf('\n\n', section.indexOf('| case')))
    .split('\n');
  const [heads = [], , ...cells] = rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return cells.map((row) => Object.fromEntries(heads.map((head, at) => [head, row[at] ?? ''])));
}

it('the table has every case that is tried here', () => {
  expect(table().map((row) => row['case'])).toEqual(Object.keys(cases));
});

const cells = table().flatMap((row) =>
  Object.keys(validators).map((head) => [row['case'] ?? '', head, row[head] ?? ''] as const),
);

it.for(cells)('%s, by %s: %s', ([name, head, said], context) => {
  const { tools = [], judge } = validators[head] ?? {};
  needsTools(context, ...tools);
  const judged = cases[name]?.();
  if (judged === undefined || judge === undefined) throw new Error(`nothing makes ${name}`);
  for (const [file, der, label] of [
    ['leaf', judged.leaf, 'CERTIFICATE'],
    ['root', judged.root, 'CERTIFICATE'],
    ['list', judged.list ?? Buffer.alloc(0), 'X509 CRL'],
  ] as const) {
    writeFileSync(path.join(folder, `${file}.der`), der);
    writeFileSync(path.join(folder, `${file}.pem`), toPem(label, der));
  }
  expect(judge(judged)).toBe(said);
});
