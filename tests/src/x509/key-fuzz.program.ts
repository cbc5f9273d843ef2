/**
 * Malformed keys at every entrance, in a process of its own because what it looks for is that the process ends.
 * Arguments: a seed and how many inputs. Prints what wasn't a result or a typed error; ends by a signal where Node aborts.
 */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import {
  convertKey,
  createAuthority,
  createCsr,
  fingerprint,
  inspect,
  keyMatches,
  readCsr,
  toPkcs12,
  verifyChain,
} from '@knsock/certs';
import { createCredentials, EasySocketError } from '@knsock/core';
import { toPem } from '@knsock/core/x509';
import { extension, integer, name, octets, oid, sequence, time, tlv } from './issue.js';

const [seed = 1, count = 100] = process.argv.slice(2).map(Number);

/** A generator that gives the same numbers in every run (mulberry32). */
function generator(start: number): (below: number) => number {
  let state = start >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const bits = (bytes: Uint8Array): Buffer => tlv(0x03, Buffer.of(0), bytes);

const random = generator(seed);
const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T;

const ecdsa = sequence(oid('1.2.840.10045.4.3.2'));
const curves = [
  '1.2.840.10045.3.1.7',
  '1.3.132.0.34',
  '1.3.132.0.35',
  '1.3.132.0.10',
  '1.3.132.0.33',
  '1.3.132.0.15',
];
const pairs: readonly { publicKey: KeyObject; privateKey: KeyObject }[] = [
  ...['P-256', 'P-384', 'P-521', 'secp256k1'].map((namedCurve) => generateKeyPairSync('ec', { namedCurve })),
  generateKeyPairSync('rsa', { modulusLength: 2048 }),
  generateKeyPairSync('rsa-pss', {
    modulusLength: 1024,
    hashAlgorithm: 'sha256',
    mgf1HashAlgorithm: 'sha256',
  }),
  generateKeyPairSync('ed25519'),
  generateKeyPairSync('ed448'),
  generateKeyPairSync('x25519'),
  generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
];
const authority = await createAuthority({ commonName: 'Fuzz CA' });
const issued = await authority.issue({ kind: 'server', names: ['a.test'] });

const ecPublic = (curve: string, point: Buffer): Buffer =>
  sequence(sequence(oid('1.2.840.10045.2.1'), oid(curve)), bits(point));
const ecPrivate = (curve: string, number: Buffer, ...more: readonly Buffer[]): Buffer =>
  sequence(
    integer(0),
    sequence(oid('1.2.840.10045.2.1'), oid(curve)),
    octets(sequence(integer(1), octets(number), ...more)),
  );

/** What makes OpenSSL stumble: infinity, numbers out of range, wrong lengths; then what a fuzzer finds by itself. */
function publicKey(): Buffer {
  const spki = pick(pairs).publicKey.export({ type: 'spki', format: 'der' });
  return pick([
    () => spki,
    () => ecPublic(pick(curves), Buffer.of(0)),
    () => ecPublic(pick(curves), Buffer.alloc(random(140), random(256))),
    () =>
      ecPublic(
        pick(curves),
        Buffer.concat([Buffer.of(pick([2, 3, 4, 6, 7])), Buffer.alloc(64, random(256))]),
      ),
    () => mutated(spki),
  ])();
}

function privateKey(): Buffer {
  const type = pick(['pkcs8', 'pkcs8', 'pkcs8', 'older'] as const);
  const { privateKey: key } = pick(pairs);
  const older = key.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs1';
  const der =
    type === 'older' && /^(ec|rsa)$/.test(key.asymmetricKeyType ?? '')
      ? key.export({ type: older, format: 'der' })
      : key.export({ type: 'pkcs8', format: 'der' });
  const point = (bytes: Buffer): Buffer => tlv(0xa1, bits(bytes));
  return pick([
    () => der,
    () => ecPrivate(pick(curves), Buffer.alloc(random(140), random(256))),
    () => ecPrivate(pick(curves), Buffer.alloc(32, 1), point(Buffer.of(0))),
    () => ecPrivate(pick(curves), Buffer.alloc(random(70)), point(Buffer.alloc(random(140), random(256)))),
    () => mutated(der),
    () => mutated(der),
  ])();
}

function mutated(der: Buffer): Buffer {
  let bytes = Buffer.from(der);
  for (let changes = 1 + random(3); changes > 0; changes--) {
    const at = random(bytes.length);
    const kind = random(4);
    if (kind === 0) bytes[at] = random(256);
    else if (kind === 1) bytes[at] = (bytes[at] as number) ^ (1 << random(8));
    else if (kind === 2) bytes.fill(pick([0, 0xff, 1]), at, Math.min(bytes.length, at + random(40)));
    else
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        Buffer.alloc(random(4), random(256)),
        bytes.subarray(at),
      ]);
  }
  return bytes;
}

/** With a signature that nothing can have made, but of the right form. */
const signed = (body: Buffer): Buffer => {
  const key = (pairs[0] as { privateKey: KeyObject }).privateKey;
  return sequence(body, ecdsa, bits(sign('sha256', body, key)));
};

const request = (spki: Buffer): Buffer => signed(sequence(integer(0), name('CN=a.test'), spki, tlv(0xa0)));
const certificate = (spki: Buffer): Buffer =>
  signed(
    sequence(
      tlv(0xa0, integer(2)),
      integer(5),
      ecdsa,
      name('CN=a.test'),
      sequence(time(new Date(Date.now() - 86_400_000)), time(new Date(Date.now() + 86_400_000))),
      name('CN=a.test'),
      spki,
      tlv(0xa3, sequence(extension('2.5.29.19', sequence(tlv(0x01, Buffer.of(0xff))), true))),
    ),
  );

const entrances: Readonly<Record<string, () => unknown>> = {
  readCsr: () => readCsr(request(publicKey())),
  sign: () => authority.sign(request(publicKey()), { kind: 'server', names: ['a.test'] }),
  inspectRequest: () => inspect(request(publicKey())),
  inspectPublicKey: () => inspect(Buffer.from(toPem('PUBLIC KEY', publicKey()))),
  inspectCertificate: () => inspect(certificate(publicKey())),
  fingerprint: () => fingerprint(certificate(publicKey())),
  verifyChain: () => {
    const own = toPem('CERTIFICATE', certificate(publicKey()));
    return verifyChain({ chain: own, ca: own });
  },
  peerChain: () =>
    verifyChain({ chain: issued.chain + toPem('CERTIFICATE', certificate(publicKey())), ca: authority.root }),
  certificateOfKey: () => keyMatches(certificate(publicKey()), privateKey()),
  keyMatches: () => keyMatches(issued.certificate, privateKey()),
  inspectPrivateKey: () => inspect(pick([privateKey(), Buffer.from(toPem('PRIVATE KEY', privateKey()))])),
  convertKey: () => convertKey(pick([privateKey(), Buffer.from(toPem('EC PRIVATE KEY', privateKey()))])),
  createCsr: () => createCsr({ names: ['a.test'], privateKey: toPem('PRIVATE KEY', privateKey()) }),
  toPkcs12: () => toPkcs12({ chain: issued.chain, key: toPem('PRIVATE KEY', privateKey()) }, 'a secret'),
  createCredentials: () =>
    createCredentials({
      cert: toPem('CERTIFICATE', certificate(publicKey())),
      key: toPem(pick(['PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY']), privateKey()),
      ca: toPem('CERTIFICATE', certificate(publicKey())),
    }),
};

for (let round = 0; round < count; round++) {
  const entrance = pick(Object.keys(entrances));
  try {
    await (entrances[entrance] as () => unknown)();
  } catch (error) {
    if (!(error instanceof EasySocketError)) {
      console.log(`round ${round}: ${entrance}: ${(error as Error).stack}`);
      process.exitCode = 1;
    }
  }
}
