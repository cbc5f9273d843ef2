import { createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MalformedDerError } from '../../errors/malformed-der.js';
import { openPrivateKey, openPublicKey, publicHalf, rsaPublicKeyInfo } from './open-key.js';
import { readPrivateKey } from './private-key.js';

const tlv = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
};
const sequence = (...parts: readonly Uint8Array[]) => tlv(0x30, ...parts);
const integer = (value: bigint) => {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return tlv(0x02, (bytes[0] as number) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
};
const octets = (...parts: readonly Uint8Array[]) => tlv(0x04, ...parts);
const bits = (...parts: readonly Uint8Array[]) => tlv(0x03, Buffer.of(0), ...parts);

const ecOid = Buffer.from('06072a8648ce3d0201', 'hex');
const p256 = Buffer.from('06082a8648ce3d030107', 'hex');
const order256 = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

const curves = {
  prime192v1: 24,
  secp224r1: 28,
  prime256v1: 32,
  secp384r1: 48,
  secp521r1: 66,
  secp256k1: 32,
  brainpoolP256r1: 32,
  brainpoolP384r1: 48,
  brainpoolP512r1: 64,
} as const;

const pairs: Record<string, () => { publicKey: KeyObject; privateKey: KeyObject }> = {
  ...Object.fromEntries(
    Object.keys(curves).map((namedCurve) => [namedCurve, () => generateKeyPairSync('ec', { namedCurve })]),
  ),
  ed25519: () => generateKeyPairSync('ed25519'),
  ed448: () => generateKeyPairSync('ed448'),
  x25519: () => generateKeyPairSync('x25519'),
  x448: () => generateKeyPairSync('x448'),
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 1024 }),
  'rsa-pss': () =>
    generateKeyPairSync('rsa-pss', {
      modulusLength: 1024,
      hashAlgorithm: 'sha256',
      mgf1HashAlgorithm: 'sha256',
    }),
  dsa: () => generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
};

/** Those whose coordinates Node exports. */
const jwkCurves = new Set(['prime256v1', 'secp384r1', 'secp521r1', 'secp256k1']);
const pick = ({ x, y }: JsonWebKey) => ({ x, y });

const problemOf = (open: () => unknown): string => {
  try {
    open();
  } catch (error) {
    if (error instanceof MalformedDerError) return error.message;
    throw error;
  }
  return 'opened';
};

describe('a key that Node has made', () => {
  it.each(Object.keys(pairs))('opens: %s', (kind) => {
    for (let round = 0; round < (kind === 'dsa' ? 1 : 4); round++) {
      const { publicKey, privateKey } = (
        pairs[kind] as () => { publicKey: KeyObject; privateKey: KeyObject }
      )();
      expect(openPublicKey(publicKey.export({ type: 'spki', format: 'der' })).equals(publicKey)).toBe(true);
      const opened = openPrivateKey(privateKey.export({ type: 'pkcs8', format: 'der' }));
      expect(opened.equals(privateKey)).toBe(true);
      expect(publicHalf(opened).equals(publicKey)).toBe(true);
    }
  });

  it('opens in its older forms', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
    expect(openPrivateKey(ec.privateKey.export({ type: 'sec1', format: 'der' })).equals(ec.privateKey)).toBe(
      true,
    );
    expect(
      openPrivateKey(rsa.privateKey.export({ type: 'pkcs1', format: 'der' })).equals(rsa.privateKey),
    ).toBe(true);
    const pkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'der' });
    expect(openPublicKey(rsaPublicKeyInfo(pkcs1)).equals(rsa.publicKey)).toBe(true);
  });

  it('opens with a compressed point', () => {
    for (const [namedCurve, size] of Object.entries(curves).filter(([name]) => jwkCurves.has(name))) {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve });
      const spki = publicKey.export({ type: 'spki', format: 'der' });
      const point = spki.subarray(spki.length - 2 * size);
      const start = spki.indexOf(0x30, 1);
      const algorithm = spki.subarray(start, start + 2 + (spki[start + 1] as number));
      const form = 2 + ((spki.at(-1) as number) & 1);
      const compressed = sequence(algorithm, bits(Buffer.of(form), point.subarray(0, size)));
      const { x, y } = openPublicKey(compressed).export({ format: 'jwk' });
      expect({ x, y }).toEqual(pick(publicKey.export({ format: 'jwk' })));
    }
  });

  it.each(['aes256', 'des3'])('opens from PEM, encrypted with %s or not', (cipher) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const passphrase = 'a secret';
    const sealed = privateKey.export({ type: 'pkcs8', format: 'pem', cipher, passphrase }) as string;
    const older = privateKey.export({ type: 'sec1', format: 'pem', cipher, passphrase }) as string;
    const clear = privateKey.export({ type: 'sec1', format: 'pem' }) as string;
    for (const pem of [
      sealed,
      older,
      clear,
      `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${clear}`,
    ])
      expect(readPrivateKey(pem, passphrase).equals(privateKey)).toBe(true);
  });
});

describe('a public key that is none', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
  const onP256 = (bytes: Uint8Array) => openPublicKey(sequence(sequence(ecOid, p256), bits(bytes)));
  const changed = (change: (copy: Buffer) => void) => {
    const copy = Buffer.from(point);
    change(copy);
    return copy;
  };

  it.each([
    ['the point at infinity', Buffer.of(0), 'at infinity'],
    ['no point', Buffer.alloc(0), 'in no form'],
    ['infinity with bytes behind it', Buffer.alloc(65), 'in no form'],
    [
      'a point beside the curve',
      changed((copy) => (copy[64] = (copy[64] as number) ^ 1)),
      "isn't on its curve",
    ],
    ['a hybrid point', changed((copy) => (copy[0] = 6 + ((copy[64] as number) & 1))), 'in no form'],
    ['a point cut short', point.subarray(0, 64), 'has 63 bytes of coordinates'],
    [
      'a coordinate out of the field',
      Buffer.concat([Buffer.of(4), Buffer.alloc(64, 0xff)]),
      'out of the field',
    ],
    [
      'a compressed coordinate out of the field',
      Buffer.concat([Buffer.of(2), Buffer.alloc(32, 0xff)]),
      'out of the field',
    ],
    ['a compressed point cut short', Buffer.from(point.subarray(0, 32)).fill(2, 0, 1), 'has 31 bytes'],
  ])('is refused: %s', (_what, bytes, problem) => {
    expect(problemOf(() => onP256(bytes))).toContain(problem);
  });

  it('is refused where no curve has its compressed coordinate', () => {
    const verdicts = Array.from({ length: 64 }, (_, x) =>
      problemOf(() => onP256(Buffer.concat([Buffer.of(2), Buffer.alloc(31), Buffer.of(x)]))),
    );
    const node = Array.from({ length: 64 }, (_, x) => {
      const key = sequence(sequence(ecOid, p256), bits(Buffer.of(2), Buffer.alloc(31), Buffer.of(x)));
      try {
        createPublicKey({ key, format: 'der', type: 'spki' });
        return true;
      } catch {
        return false;
      }
    });
    expect(verdicts.map((verdict) => verdict === 'opened')).toEqual(node);
    expect(new Set(node).size).toBe(2);
  });

  it('is refused on an unknown curve, on a curve of its own, and without one', () => {
    const unknown = Buffer.from('06052b8104000f', 'hex'); // sect163r2
    const withParameters = (...parameters: readonly Uint8Array[]) =>
      problemOf(() => openPublicKey(sequence(sequence(ecOid, ...parameters), bits(point))));
    expect(withParameters(unknown)).toContain('unknown curve 1.3.132.0.15');
    expect(withParameters(sequence(integer(1n)))).toContain('explicit curve parameters');
    expect(withParameters()).toContain('names no curve');
  });

  it("is refused where its algorithm isn't known, or has odd parameters", () => {
    const nothing = tlv(0x05);
    const ed25519 = Buffer.from('06032b6570', 'hex');
    const rsa = Buffer.from('06092a864886f70d010101', 'hex');
    expect(
      problemOf(() => openPublicKey(sequence(sequence(Buffer.from('06022a03', 'hex')), bits(point)))),
    ).toContain('unknown algorithm 1.2.3');
    const key = generateKeyPairSync('ed25519')
      .publicKey.export({ type: 'spki', format: 'der' })
      .subarray(-32);
    expect(problemOf(() => openPublicKey(sequence(sequence(ed25519, nothing), bits(key))))).toContain(
      'parameters',
    );
    expect(problemOf(() => openPublicKey(sequence(sequence(rsa, integer(5n)), bits(key))))).toContain(
      'parameters',
    );
  });

  it.each([
    ['an even modulus', [2n ** 1024n, 65537n], 'even'],
    ['a negative exponent', [2n ** 1024n + 1n, 0n], "isn't positive"],
    ['an even exponent', [2n ** 1024n + 1n, 4n], 'odd number'],
    ['an exponent of 1', [2n ** 1024n + 1n, 1n], 'odd number'],
    ['an exponent over the modulus', [5n, 7n], 'odd number'],
    ['a modulus of 16,385 bits', [2n ** 16384n + 1n, 65537n], '16,385 bits'],
  ] as const)('is refused: RSA with %s', (_what, [modulus, exponent], problem) => {
    const key = sequence(integer(modulus), integer(exponent));
    expect(problemOf(() => openPublicKey(rsaPublicKeyInfo(key)))).toContain(problem);
  });

  it('is refused where an Edwards point is of another length, out of the field, or beside the curve', () => {
    const of = (oid: string, bytes: Uint8Array) =>
      problemOf(() => openPublicKey(sequence(sequence(Buffer.from(oid, 'hex')), bits(bytes))));
    for (const [oid, size] of [
      ['06032b6570', 32],
      ['06032b6571', 57],
    ] as const) {
      expect(of(oid, Buffer.alloc(size - 1, 1))).toContain(`${size - 1} bytes instead of ${size}`);
      expect(of(oid, Buffer.alloc(size, 0xff))).toContain('out of the field');
      const verdicts = Array.from({ length: 40 }, (_, y) => of(oid, Buffer.alloc(size).fill(y, 0, 1)));
      expect(verdicts).toContain('opened');
      expect(verdicts.some((verdict) => verdict.includes("isn't on its curve"))).toBe(true);
    }
  });
});

describe('a private key that is none', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
  const secret = Buffer.from(privateKey.export({ format: 'jwk' }).d as string, 'base64url');
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .publicKey.export({ type: 'spki', format: 'der' })
    .subarray(-65);
  const bytesOf = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
  const sec1 = (number: Uint8Array, publicPoint?: Uint8Array) =>
    sequence(integer(1n), octets(number), ...(publicPoint ? [tlv(0xa1, bits(publicPoint))] : []));
  const pkcs8 = (number: Uint8Array, publicPoint?: Uint8Array) =>
    sequence(integer(0n), sequence(ecOid, p256), octets(sec1(number, publicPoint)));

  it('opens where its number is in range, with and without its public half', () => {
    for (const der of [
      pkcs8(secret),
      pkcs8(secret, point),
      pkcs8(Buffer.concat([Buffer.of(0), secret]), point),
      pkcs8(bytesOf(1n)),
      pkcs8(bytesOf(order256 - 1n)),
    ])
      expect(openPrivateKey(der).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  });

  it.each([
    ['0', pkcs8(bytesOf(0n)), "out of its curve's range"],
    ['the order', pkcs8(bytesOf(order256)), "out of its curve's range"],
    ['nothing', pkcs8(Buffer.alloc(0)), "out of its curve's range"],
    ['a byte too long', pkcs8(Buffer.concat([Buffer.of(1), secret]), point), "out of its curve's range"],
    ['5,000 bytes long', pkcs8(Buffer.alloc(5_000, 1)), "out of its curve's range"],
    ['with infinity for a public half', pkcs8(secret, Buffer.of(0)), 'at infinity'],
    ["with another key's public half", pkcs8(secret, other), "don't belong together"],
  ])('is refused: a number that is %s', (_what, der, problem) => {
    expect(problemOf(() => openPrivateKey(der))).toContain(problem);
  });

  it('is refused where it names two curves, or none', () => {
    const p384 = Buffer.from('06052b81040022', 'hex');
    const two = sequence(
      integer(0n),
      sequence(ecOid, p256),
      octets(sequence(integer(1n), octets(secret), tlv(0xa0, p384))),
    );
    expect(problemOf(() => openPrivateKey(two))).toContain('names two curves');
    expect(problemOf(() => openPrivateKey(sec1(secret)))).toContain('names no curve');
  });

  it("is refused where the numbers of RSA don't fit together", () => {
    const jwk = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'jwk' });
    const names = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'] as const;
    const numbers = names.map((name) =>
      BigInt(`0x${Buffer.from(jwk[name] as string, 'base64url').toString('hex')}`),
    );
    const of = (changed: readonly bigint[]) =>
      problemOf(() => openPrivateKey(sequence(integer(0n), ...changed.map(integer))));
    expect(of(numbers)).toBe('opened');
    names.forEach((name, at) => {
      const step = name === 'n' || name === 'e' ? 2n : 1n;
      expect(of(numbers.map((number, index) => (index === at ? number + step : number))), name).toContain(
        "don't fit together",
      );
    });
  });

  it('is refused where a seed is of another length', () => {
    const ed25519 = Buffer.from('06032b6570', 'hex');
    const of = (length: number) =>
      problemOf(() =>
        openPrivateKey(sequence(integer(0n), sequence(ed25519), octets(octets(Buffer.alloc(length, 7))))),
      );
    expect(of(32)).toBe('opened');
    expect(of(31)).toContain('31 bytes instead of 32');
  });
});
