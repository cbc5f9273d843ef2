/** NIST's Public Key Interoperability Test Suite, each test as a case in the form of x509-limbo. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { toPem, type PolicyOptions } from '@knsock/core/x509';
import type { LimboCase } from '../x509/limbo.js';

interface PkitsFiles {
  /** Base64 of DER, by the suite's names. */
  readonly certificates: Readonly<Record<string, string>>;
  readonly lists: Readonly<Record<string, string>>;
}

const files = JSON.parse(
  gunzipSync(readFileSync(new URL('../../corpora/pkits/pkits.json.gz', import.meta.url))).toString(),
) as PkitsFiles;

const TRUST_ANCHOR = 'TrustAnchorRootCertificate';

/** In the order of the suite; `tests/corpora/pkits/README.md` describes the table. */
export function pkitsCases(): LimboCase[] {
  const table = readFileSync(new URL('../../corpora/pkits/cases.txt', import.meta.url), 'utf8');
  return table.trim().split('\n').map(caseOf);
}

/**
 * A case that is given every CA's certificate and every list of the suite instead of its own. Left out is the list that
 * can't be read: one of those fails every verification.
 */
export function withWholeDirectory(one: LimboCase): LimboCase {
  const cas = Object.keys(files.certificates).filter((name) => name !== TRUST_ANCHOR && !name.endsWith('EE'));
  const lists = Object.keys(files.lists).filter((name) => name !== 'BadCRLSignatureCACRL');
  return { ...one, untrusted_intermediates: cas.map(certificate), crls: lists.map(list) };
}

function caseOf(line: string): LimboCase {
  const [id, result, leaf, cas, lists, inputs] = line.split(' | ') as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ];
  return {
    id: `pkits::${id}::${leaf}`,
    validation_kind: 'CLIENT',
    trusted_certs: [certificate(TRUST_ANCHOR)],
    untrusted_intermediates: words(cas).map(certificate),
    peer_certificate: certificate(leaf),
    peer_certificate_key: null,
    validation_time: '2024-01-01T00:00:00Z',
    expected_result: result === 'accept' ? 'SUCCESS' : 'FAILURE',
    expected_peer_name: null,
    expected_peer_names: [],
    max_chain_depth: null,
    crls: words(lists).map(list),
    revocation: { depth: 'chain' },
    ...(inputs === undefined ? {} : { policies: policiesOf(words(inputs)) }),
  };
}

/** Inputs to the policies as the table writes them. */
function policiesOf(inputs: readonly string[]): PolicyOptions {
  const set = inputs.find((input) => input.startsWith('set:'))?.slice('set:'.length);
  return {
    initialSet: set?.split('+').map((number) => `2.16.840.1.101.3.2.1.48.${number}`),
    requireExplicit: inputs.includes('explicit'),
    inhibitMapping: inputs.includes('no-mapping'),
    inhibitAny: inputs.includes('no-any'),
  };
}

const words = (text: string) => (text === '-' ? [] : text.split(' '));
const certificate = (name: string) => pem('CERTIFICATE', files.certificates[name]);
const list = (name: string) => pem('X509 CRL', files.lists[name]);

function pem(label: string, base64: string | undefined): string {
  if (base64 === undefined) throw new Error("the table names a file that the suite doesn't have");
  return toPem(label, Buffer.from(base64, 'base64'));
}
