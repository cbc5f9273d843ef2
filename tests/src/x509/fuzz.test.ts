import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedDerError } from '@knsock/core/errors';
import {
  parseCertificate,
  parseCrl,
  verifyPathSync,
  type PathVerdict,
  type VerifyOptions,
} from '@knsock/core/x509';
import { issueCa, issueServer, makeCrlDer, name, nameConstraints, now } from './issue.js';
import { limboCases } from './limbo.js';

const root = issueCa({ subject: 'CN=Root', extensions: [nameConstraints({ permitted: ['DNS:test'] })] });
const middle = issueCa({ subject: 'CN=Middle', issuer: root, pathLength: 0 });
const leaf = issueServer({
  issuer: middle,
  names: ['DNS:a.test', 'IP:c0000201', 'email:a@b.test', 'URI:https://a.test/', 'dir:O=x'],
});
const crl = makeCrlDer({ issuer: middle, revoked: [{ serial: 5, reason: 1 }, { serial: 6 }] });

/** Certificates of many makers, up to a size that leaves time for many mutations. */
const certificates = limboCases()
  .slice(0, 120)
  .map(({ peer_certificate }) => peer_certificate)
  .concat(
    limboCases().flatMap(({ id, untrusted_intermediates }) =>
      id.startsWith('online') ? untrusted_intermediates : [],
    ),
  )
  .map((pem) => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'))
  .filter(({ length }) => length < 3_000);

type Mutation = (der: Buffer) => Buffer;

/** Bits flipped, bytes replaced, stretches cut out, doubled, or put in: what breaks lengths, tags and values alike. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(7)).map(
    ([at, bit]): Mutation =>
      (der) =>
        edit(der, at, (byte) => byte ^ (1 << bit)),
  ),
  fc.tuple(fc.nat(), fc.nat(255)).map(
    ([at, value]): Mutation =>
      (der) =>
        edit(der, at, () => value),
  ),
  fc.tuple(fc.nat(), fc.constantFrom(0x00, 0x7f, 0x80, 0x81, 0x84, 0xff, 0x1f, 0x30)).map(
    ([at, value]): Mutation =>
      (der) =>
        edit(der, at, () => value),
  ),
  fc.tuple(fc.nat(), fc.nat(40)).map(
    ([at, length]): Mutation =>
      (der) =>
        splice(der, at, length, Buffer.alloc(0)),
  ),
  fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 20 })).map(
    ([at, bytes]): Mutation =>
      (der) =>
        splice(der, at, 0, bytes),
  ),
  fc.tuple(fc.nat(), fc.nat(60)).map(
    ([at, length]): Mutation =>
      (der) =>
        splice(der, at, 0, der.subarray(at % der.length, (at % der.length) + length)),
  ),
);
const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });
const mutate = (der: Buffer, changes: readonly Mutation[]): Buffer =>
  changes.reduce((bytes: Buffer, change) => (bytes.length > 0 ? change(bytes) : bytes), Buffer.from(der));

function edit(der: Buffer, at: number, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(der);
  copy[at % copy.length] = change(copy[at % copy.length] as number);
  return copy;
}

function splice(der: Buffer, at: number, length: number, bytes: Uint8Array): Buffer {
  const start = at % der.length;
  return Buffer.concat([der.subarray(0, start), bytes, der.subarray(start + length)]);
}

/** Runs a reader that may fail with our own error and with nothing else. */
function onlyOurError(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedDerError);
  }
}

function judge(options: Partial<VerifyOptions>): PathVerdict {
  const given = {
    leaf: leaf.der,
    intermediates: [middle.der],
    anchors: [root.der],
    at: now,
    usage: 'server',
  } as const;
  return verifyPathSync({ ...given, ...options });
}

/** Reads a certificate and everything about it that is computed later. */
function lookAtAll(der: Buffer): unknown[] {
  const certificate = parseCertificate(der);
  const { subject, fingerprint256, spkiPin, pem, dnsNames } = certificate;
  return [subject.toString(), subject.key, fingerprint256, spkiPin, pem, dnsNames];
}

describe('mutated input', () => {
  it('is read as a certificate or refused with our error', () => {
    fc.assert(
      fc.property(fc.constantFrom(...certificates), mutations, (der, changes) =>
        onlyOurError(() => lookAtAll(mutate(der, changes))),
      ),
      { numRuns: 4_000 },
    );
  });

  it('is read as a CRL or refused with our error', () => {
    fc.assert(
      fc.property(mutations, (changes) => onlyOurError(() => [...parseCrl(mutate(crl, changes)).entries])),
      { numRuns: 2_000 },
    );
  });

  it('gets a verdict as a leaf, and never a good one unless it is the leaf', () => {
    fc.assert(
      fc.property(mutations, (changes) => {
        const changed = mutate(leaf.der, changes);
        expect(judge({ leaf: changed, name: 'a.test' }).ok).toBe(changed.equals(leaf.der));
      }),
      { numRuns: 1_000 },
    );
  });

  it('gets a verdict as an intermediate, and is never trusted', () => {
    fc.assert(
      fc.property(mutations, (changes) => {
        const changed = mutate(middle.der, changes);
        expect(judge({ intermediates: [changed] }).ok).toBe(changed.equals(middle.der));
      }),
      { numRuns: 1_000 },
    );
  });

  it('gets a verdict as an anchor', () => {
    fc.assert(
      fc.property(
        mutations,
        (changes) => typeof judge({ anchors: [mutate(root.der, changes)] }).ok === 'boolean',
      ),
      { numRuns: 1_000 },
    );
  });

  it("gets a verdict as a CRL, and is refused unless it has become another CA's", () => {
    fc.assert(
      fc.property(mutations, (changes) => {
        const changed = mutate(crl, changes);
        const isOurs = changed.includes(name(middle.subject));
        if (isOurs && !changed.equals(crl)) expect(judge({ crls: [changed] }).ok).toBe(false);
        else expect(judge({ crls: [changed] })).toHaveProperty('ok');
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves nothing behind in memory', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const round = (seed: number): void =>
      fc.assert(
        fc.property(mutations, (changes) => onlyOurError(() => lookAtAll(mutate(leaf.der, changes)))),
        { numRuns: 1_000, seed },
      );
    const used = (): number => {
      collect();
      return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    };
    round(1);
    const before = used();
    for (let seed = 2; seed < 5; seed++) round(seed);
    expect(used() - before).toBeLessThan(4 * 1024 * 1024);
  });
});

describe('any bytes at all', () => {
  it('are refused with our error', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .uint8Array({ maxLength: 120 })
        .map((content) => Buffer.concat([Buffer.of(0x30, content.length), content])),
    );
    fc.assert(
      fc.property(bytes, (input) => onlyOurError(() => [parseCertificate(input), parseCrl(input)])),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (input) =>
        onlyOurError(() => [parseCertificate(input), parseCrl(input)]),
      ),
      { numRuns: 500 },
    );
  });
});
