/** Signatures that are good by the key and contradict what the certificate says they are: none of them counts. */
import { constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { verifyPathSync } from '@knsock/core/x509';
import { describe, expect, it } from 'vitest';
import {
  basicConstraints,
  integer,
  keyUsage,
  now,
  oid,
  sequence,
  subjectAltName,
  time,
  tlv,
} from './issue.js';

const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING } = constants;
const none = tlv(0x05);
const hash = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1', sha384: '2.16.840.1.101.3.4.2.2' };
type Hash = keyof typeof hash;

/** RSASSA-PSS-params (RFC 4055 3.1). */
const pss = (of: Hash, mask: Hash, salt: number, trailer?: number) =>
  sequence(
    oid('1.2.840.113549.1.1.10'),
    sequence(
      tlv(0xa0, sequence(oid(hash[of]), none)),
      tlv(0xa1, sequence(oid('1.2.840.113549.1.1.8'), sequence(oid(hash[mask]), none))),
      tlv(0xa2, integer(salt)),
      ...(trailer === undefined ? [] : [tlv(0xa3, integer(trailer))]),
    ),
  );
const algorithms = {
  rsaSha256: sequence(oid('1.2.840.113549.1.1.11'), none),
  rsaSha384: sequence(oid('1.2.840.113549.1.1.12'), none),
  pss32: pss('sha256', 'sha256', 32),
  ecdsaSha256: sequence(oid('1.2.840.10045.4.3.2')),
  ecdsaSha384: sequence(oid('1.2.840.10045.4.3.3')),
  ed25519: sequence(oid('1.3.101.112')),
  ed448: sequence(oid('1.3.101.113')),
};

const keys = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  pss384: generateKeyPairSync('rsa-pss', {
    modulusLength: 2_048,
    hashAlgorithm: 'sha384',
    mgf1HashAlgorithm: 'sha384',
  }),
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ed25519: generateKeyPairSync('ed25519'),
  ed448: generateKeyPairSync('ed448'),
};

type Sign = (body: Buffer, key: KeyObject) => Buffer;
const pkcs1: Sign = (body, key) => sign('sha256', body, { key, padding: RSA_PKCS1_PADDING });
const byPss =
  (of: string, saltLength: number): Sign =>
  (body, key) =>
    sign(of, body, { key, padding: RSA_PKCS1_PSS_PADDING, saltLength });
const plain =
  (of: string | null): Sign =>
  (body, key) =>
    sign(of, body, key);

interface Made {
  readonly key: keyof typeof keys;
  readonly signature: Sign;
  /** In the signed body, and behind it. */
  readonly inner: Buffer;
  readonly outer?: Buffer;
}

/** A root that a key of its kind has, and a leaf that it signs as the case has it. */
function verdict({ key, signature, inner, outer = inner }: Made): string {
  const { publicKey, privateKey } = keys[key];
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const name = (text: string) => sequence(tlv(0x31, sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from(text)))));
  const dates = sequence(time('2025-01-01T00:00:00Z'), time('2027-01-01T00:00:00Z'));
  const certificate = (subject: string, own: Buffer, extensions: Buffer[], by: [Sign, Buffer, Buffer]) => {
    const [how, inside, outside] = by;
    const version = tlv(0xa0, integer(2));
    const parts = [inside, name('Root'), dates, name(subject), own, tlv(0xa3, sequence(...extensions))];
    const body = sequence(version, integer(subject.length), ...parts);
    return sequence(body, outside, tlv(0x03, Buffer.of(0), how(body, privateKey)));
  };
  const leafKey = keys.ec.publicKey.export({ format: 'der', type: 'spki' });
  // An anchor's own signature isn't looked at.
  const root = certificate('Root', spki, [basicConstraints(true), keyUsage(5)], [signature, inner, inner]);
  const leaf = certificate(
    'a',
    leafKey,
    [keyUsage(0), subjectAltName('DNS:a.test')],
    [signature, inner, outer],
  );
  const found = verifyPathSync({ leaf, anchors: [root], at: now, usage: 'server' });
  return found.ok ? 'ok' : found.reason;
}

const { rsaSha256, rsaSha384, pss32, ecdsaSha256, ecdsaSha384, ed25519, ed448 } = algorithms;

describe('a signature', () => {
  it.each<[string, Made]>([
    ['RSA', { key: 'rsa', signature: pkcs1, inner: rsaSha256 }],
    ['RSA-PSS', { key: 'rsa', signature: byPss('sha256', 32), inner: pss32 }],
    ['a PSS key', { key: 'pss384', signature: byPss('sha384', 48), inner: pss('sha384', 'sha384', 48) }],
    ['ECDSA', { key: 'ec', signature: plain('sha256'), inner: ecdsaSha256 }],
    ['Ed25519', { key: 'ed25519', signature: plain(null), inner: ed25519 }],
    ['Ed448', { key: 'ed448', signature: plain(null), inner: ed448 }],
  ])('by %s counts', (_what, made) => {
    expect(verdict(made)).toBe('ok');
  });

  it.each<[string, Made]>([
    [
      'another algorithm behind the body',
      { key: 'rsa', signature: pkcs1, inner: rsaSha256, outer: rsaSha384 },
    ],
    ['PSS called PKCS #1', { key: 'rsa', signature: byPss('sha256', 32), inner: rsaSha256 }],
    ['PKCS #1 called PSS', { key: 'rsa', signature: pkcs1, inner: pss32 }],
    ['another hash', { key: 'rsa', signature: pkcs1, inner: rsaSha384 }],
    ['a shorter salt than it says', { key: 'rsa', signature: byPss('sha256', 20), inner: pss32 }],
    ['no salt, though it says one', { key: 'rsa', signature: byPss('sha256', 0), inner: pss32 }],
    [
      'another mask than it says',
      { key: 'rsa', signature: byPss('sha256', 32), inner: pss('sha256', 'sha384', 32) },
    ],
    [
      'a trailer of another kind',
      { key: 'rsa', signature: byPss('sha256', 32), inner: pss('sha256', 'sha256', 32, 2) },
    ],
    [
      'PSS without parameters',
      { key: 'rsa', signature: byPss('sha1', 20), inner: sequence(oid('1.2.840.113549.1.1.10')) },
    ],
    ['PSS by SHA-1', { key: 'rsa', signature: byPss('sha1', 20), inner: pss('sha1', 'sha1', 20) }],
    ['PKCS #1 for a PSS key', { key: 'pss384', signature: byPss('sha384', 48), inner: rsaSha384 }],
    ['less than its PSS key demands', { key: 'pss384', signature: byPss('sha384', 48), inner: pss32 }],
    ['RSA for a key of a curve', { key: 'ec', signature: plain('sha256'), inner: rsaSha256 }],
    ['another hash of ECDSA', { key: 'ec', signature: plain('sha256'), inner: ecdsaSha384 }],
    [
      'ECDSA with a curve as its parameter',
      {
        key: 'ec',
        signature: plain('sha256'),
        inner: sequence(oid('1.2.840.10045.4.3.2'), oid('1.2.840.10045.3.1.7')),
      },
    ],
    ['Ed448 called Ed25519', { key: 'ed448', signature: plain(null), inner: ed25519 }],
    ['Ed25519 called Ed448', { key: 'ed25519', signature: plain(null), inner: ed448 }],
    [
      'Ed25519 with a NULL',
      { key: 'ed25519', signature: plain(null), inner: sequence(oid('1.3.101.112'), none) },
    ],
    ['ECDSA called Ed25519', { key: 'ec', signature: plain('sha256'), inner: ed25519 }],
  ])('with %s counts for nothing', (_what, made) => {
    expect(verdict(made)).toMatch(/^(malformed|unknown-issuer|weak)$/);
  });
});
