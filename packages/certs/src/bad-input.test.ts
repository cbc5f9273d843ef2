import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EasySocketError } from '@knsock/core/errors';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority, loadAuthority, type Authority } from './authorities/authority.js';
import { fullChain } from './keys/chain.js';
import { createCsr, readCsr } from './issuing/csr.js';
import { checkExpiry } from './inspecting/expiry.js';
import { fingerprint } from './files/fingerprint.js';
import { inspect } from './inspecting/inspect.js';
import { createSelfSigned, type Issued } from './issuing/issue.js';
import { keyMatches } from './keys/key-matches.js';
import { lint } from './inspecting/lint.js';
import { readPem } from './files/pem.js';
import { fromPkcs12 } from './pkcs12/pkcs12-reader.js';
import { toPkcs12 } from './pkcs12/pkcs12.js';
import { needsRenewal } from './renewal/renewal.js';
import { revocationSource } from './revocation/revocation-source.js';
import { summarize } from './inspecting/summary.js';
import { verifyChain } from './inspecting/verify-chain.js';

let folder: string;
let file: string;
let authority: Authority;
let leaf: Issued;
let inputs: Record<'csr' | 'crl' | 'certificate' | 'key' | 'pkcs12' | 'oldPkcs12', Buffer>;

const derOf = (pem: string): Buffer => readPem(pem)[0]?.der ?? Buffer.alloc(0);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-bad-'));
  file = join(folder, 'bad.crl');
  const nameConstraints = { permitted: ['test', '10.0.0.0/8', '@test', 'spiffe://test'] };
  authority = await createAuthority({ commonName: 'Root', nameConstraints });
  const names = ['a.test', '10.0.0.1', 'spiffe://test/a', 'a@test'];
  leaf = await authority.issue({ kind: 'peer', names, crlUrls: ['http://a.test/crl'] });
  await authority.revoke(leaf.certificate, 'superseded');
  inputs = {
    csr: derOf((await createCsr({ names, organizationalUnit: ['a', 'b'] })).csr),
    crl: (await authority.crl()).der,
    certificate: derOf(leaf.certificate),
    key: createPrivateKey(leaf.key).export({ format: 'der', type: 'pkcs8' }),
    pkcs12: readFileSync(new URL('./fixtures/legacy-3des.p12', import.meta.url)),
    oldPkcs12: readFileSync(new URL('./fixtures/legacy-rc2-40.p12', import.meta.url)),
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Reader = (bytes: Buffer, pem: string) => unknown;
const ca = () => authority.root;

const readers: [keyof typeof inputs, string, string, Reader][] = [
  ['csr', 'readCsr', 'CERTIFICATE REQUEST', (bytes) => readCsr(bytes)],
  [
    'csr',
    'sign',
    'CERTIFICATE REQUEST',
    (bytes) => authority.sign(bytes, { kind: 'peer', names: () => true }),
  ],
  ['csr', 'inspect', '', async (bytes) => summarize(await inspect(bytes))],
  ['crl', 'inspect', '', async (bytes) => summarize(await inspect(bytes))],
  ['crl', 'verifyChain', '', (bytes) => verifyChain({ chain: leaf.chain, ca: ca(), crls: [bytes] })],
  ['crl', 'loadAuthority', '', (crl) => loadAuthority({ chain: authority.chain, key: authority.key, crl })],
  ['crl', 'revocationSource', '', (bytes) => fetchList(bytes)],
  ['crl', 'checkExpiry', '', (bytes) => writeFile(file, bytes).then(() => checkExpiry({ files: [file] }))],
  ['certificate', 'inspect', '', async (bytes) => summarize(await inspect(bytes))],
  ['certificate', 'lint', '', (bytes) => lint(bytes)],
  ['certificate', 'fingerprint', '', (bytes) => fingerprint(bytes)],
  ['certificate', 'verifyChain', '', (chain) => verifyChain({ chain, ca: ca(), name: 'a.test' })],
  ['certificate', 'verifyChain with it as CA', '', (bytes) => verifyChain({ chain: leaf.chain, ca: bytes })],
  ['certificate', 'needsRenewal', '', (bytes) => needsRenewal(bytes)],
  ['certificate', 'revoke', '', (bytes) => authority.revoke(bytes)],
  ['certificate', 'fullChain', 'CERTIFICATE', (_, pem) => fullChain(pem + authority.chain)],
  ['certificate', 'keyMatches', '', (bytes) => keyMatches(bytes, leaf.key)],
  ['certificate', 'loadAuthority', 'CERTIFICATE', (_, chain) => loadAuthority({ chain, key: leaf.key })],
  [
    'certificate',
    'toPkcs12',
    'CERTIFICATE',
    (_, pem) => toPkcs12({ chain: pem, key: authority.key ?? '' }, 'x'),
  ],
  ['key', 'inspect', '', async (bytes) => summarize(await inspect(bytes))],
  ['key', 'keyMatches', 'PRIVATE KEY', (_, pem) => keyMatches(leaf.certificate, pem)],
  ['key', 'issue', 'PRIVATE KEY', (_, privateKey) => createSelfSigned({ names: ['a.test'], privateKey })],
  ['key', 'loadAuthority', 'EC PRIVATE KEY', (_, key) => loadAuthority({ chain: authority.chain, key })],
  ['pkcs12', 'fromPkcs12', '', (bytes) => fromPkcs12(bytes, 'secret')],
  ['pkcs12', 'inspect', '', (bytes) => inspect(bytes, { passphrase: 'secret' })],
  ['oldPkcs12', 'fromPkcs12', '', (bytes) => fromPkcs12(bytes, 'secret')],
];

async function fetchList(bytes: Buffer): Promise<void> {
  await writeFile(file, bytes);
  const source = revocationSource({ crls: [file], issuers: authority.root });
  await source.ready().finally(() => {
    source.close();
  });
}

interface Mutation {
  readonly at: number;
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly end: number | null;
}

/** Bytes flipped, cut out, doubled or put in. */
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(100_000),
  length: fc.nat(8),
  bytes: fc.uint8Array({ maxLength: 4 }),
  end: fc.option(fc.nat(100_000), { freq: 4 }),
});

function mutate(bytes: Buffer, { at, length, bytes: put, end }: Mutation): Buffer {
  const start = at % bytes.length;
  const changed = Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + length)]);
  return end === null ? changed : changed.subarray(0, end % changed.length);
}

async function outcomeOf(read: () => unknown): Promise<unknown> {
  try {
    return await read();
  } catch (error) {
    return error;
  }
}

describe('damaged input', () => {
  it.each(readers)('%s in %s gives a result or a typed error', async (input, _, label, read) => {
    const property = fc.asyncProperty(mutation, async (change) => {
      const bytes = mutate(inputs[input], change);
      const pem = `-----BEGIN ${label}-----\n${bytes.toString('base64')}\n-----END ${label}-----\n`;
      const outcome: unknown = await outcomeOf(() => read(bytes, pem));
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(EasySocketError);
    });
    await fc.assert(property, { numRuns: 60 });
  });
});
