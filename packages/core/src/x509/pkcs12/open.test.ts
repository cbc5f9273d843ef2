import { createCipheriv, createHmac, generateKeyPairSync, pbkdf2Sync, scryptSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CredentialsError } from '../../errors/security.js';
import { openPkcs12, openPkcs12OffThread, pkcs12Certificates } from './open.js';
import { readPkcs12 } from './read.js';

// One key and its certificate, made by OpenSSL, and the file that OpenSSL made of them with one round each.
const KEY: Buffer = Buffer.from(
  'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPcgJNmcyx+WgwdKVlj4fbCxkKVR5P+QYI38BZre5Q42hRANCAAS0HG2J5T+167trLkzvt9D/UjrdT5HIyvrtOrWJ55CFhbxNzeGXN0V8yQ5d29Ha2utXJcHkES8cE+skLUklsUjW',
  'base64',
);
const CERTIFICATE = Buffer.from(
  'MIIBeTCCAR+gAwIBAgIUKumH3kpCgHiOEWd8eNmKF4oeo6AwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGYS50ZXN0MCAXDTI2MTEyMzIzMTcwNFoYDzIxMjYxMDMwMjMxNzA0WjARMQ8wDQYDVQQDDAZhLnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS0HG2J5T+167trLkzvt9D/UjrdT5HIyvrtOrWJ55CFhbxNzeGXN0V8yQ5d29Ha2utXJcHkES8cE+skLUklsUjWo1MwUTAdBgNVHQ4EFgQUtz099Hy4usqQSjZ2y0Ab5kak5NwwHwYDVR0jBBgwFoAUtz099Hy4usqQSjZ2y0Ab5kak5NwwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiB0ZykdiMS9pLsUt7iVv1anQT45mn+3yRlNhC0mVODKFwIhAOrZHagox0DKY9zXDJCZcH0Q86DnDRfhlTQKSqDbokQP',
  'base64',
);
const FILE = Buffer.from(
  'MIIEBgIBAzCCA8AGCSqGSIb3DQEHAaCCA7EEggOtMIIDqTCCAmEGCSqGSIb3DQEHBqCCAlIwggJOAgEAMIICRwYJKoZIhvcNAQcBMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAgf3OlWAsyooQIBATAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQgSI/KjFnVKnPyB9lAje4V4CCAeD/4+LbdreGwMDbjZOYXHYn2d97IAyaQrLrK+3xQbgTigIaC/Eaxe9GciX9Mm5K9BFUbCEONB8PqPIvQY0pCKT2SSVR+yuE/H2VMakjqSM1/FLp6JYfFTB0qv51ow4wNg+XzXRshwvg1RtdmlyrfJwxdhSRQ8+Wp9utGQCPiu15pEkawMs4IfO0y8s4qZZ22T5bEdAR7b4WPaY1NUdMgbJR+4wlIseFFHWVAGNvHBcFVOfknUFwI+F2NCD9qorLfjYhS7cV8NoUOB0rxXrlLHDAVUck7ceYODleyHHAq6GKMNrv/xzgsMaNHKtP3K109zJF2DusRN+kIaLAjTmNXPUeEP1OEcVWuiorzQG4JWiDTXPYF4lrZkLCLfcDarabvYSaSB/qOfBK0fGXpcvSex5RDBF4neA33r6CEnGML7jFio3pbXHB2Rg5U0iDgclQPQ1DloRfglOJ3VNLxh6L9XyaUF478yjZCKPJoz5pKviIz4liWOyQ9Lw90CEBT/dermUsZJg9226CoED2EotPLpYhOWRnZCjrt5Yvh9RDDG3I9qfUhzbMSKMmB0F4kndvcvqmBs0IgQCSEV21htlpPZjfEgjWq5oDwnzLsQPg908DZwggSiD2zSOvC3K2J2t7/NcwggFABgkqhkiG9w0BBwGgggExBIIBLTCCASkwggElBgsqhkiG9w0BDAoBAqCB7jCB6zBWBgkqhkiG9w0BBQ0wSTAoBgkqhkiG9w0BBQwwGwQI/y3AypTYT1QCAQEwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEAo/ZJwF0W5jB1UNAAzUoxQEgZCGPFmWZ2VencTtCzMpE0zi36QU0MHRtJrpsUQsU3CLV4n6L4GQP29ILT+m5pPheZ6XXrsxiJT4lpMDdomzee/k81YHYRG5ZldDKiEnAnxp3lnRecVBF4cusXRNeBlsjjzLbNB6FNoyHMo2FNaibO+W4qGq4gbbsKJcOHINrF4b7RPbSgzhv11D/EH2svh+bbcxJTAjBgkqhkiG9w0BCRUxFgQUs4bnfWmBdLscHIVxeBVL+6V80N4wPTAxMA0GCWCGSAFlAwQCAQUABCBG6D1Ns0ib+lGftZWYM2StfpkScGc7Lf1F5XOlxhIT1wQIpd8KkbuLZ/U=',
  'base64',
);
const SALT = Buffer.from('0102030405060708', 'hex');

describe('a PKCS#12 file', () => {
  it('opens to its key and certificate, which their local key id connects', () => {
    const { chain, key, others } = openPkcs12(FILE, 'secret');
    expect(chain.map(({ der }) => der)).toEqual([CERTIFICATE]);
    expect(key.export({ type: 'pkcs8', format: 'der' })).toEqual(KEY);
    expect(others).toEqual([]);
  });

  it('gives the local key ids that it holds', () => {
    const { certificates, keys } = readPkcs12(file(safe(certificateBag(7), keyBag(7), certificateBag())), '');
    expect(certificates.map(({ localKeyId }) => localKeyId)).toEqual([Buffer.of(7), undefined]);
    expect(keys.map(({ localKeyId }) => localKeyId)).toEqual([Buffer.of(7)]);
  });

  it("takes the certificate that the key's local id names, of several with the same key", () => {
    const { chain, others } = openPkcs12(file(safe(certificateBag(1), keyBag(2), certificateBag(2))), '');
    expect([chain.length, others.length]).toEqual([1, 1]);
  });

  it("passes over a key whose certificate isn't there", () => {
    const { key } = openPkcs12(file(safe(keyBag(1, strangeKey()), certificateBag(1), keyBag(2))), '');
    expect(key.export({ type: 'pkcs8', format: 'der' })).toEqual(KEY);
  });

  it('nested deeper than anybody needs is refused', () => {
    let bags = certificateBag();
    for (let depth = 0; depth < 40; depth += 1) bags = bag('1.2.840.113549.1.12.10.1.6', sequence(bags));
    expect(problem(file(safe(bags))).message).toContain('nested more than 32 deep');
  });

  it('may nest safe contents, and hold bags that nobody here reads', () => {
    const nested = bag('1.2.840.113549.1.12.10.1.6', sequence(certificateBag(), keyBag()));
    const crl = bag('1.2.840.113549.1.12.10.1.4', sequence());
    expect(openPkcs12(file(safe(crl, nested)), '').chain).toHaveLength(1);
  });

  it('opens in BER, with lengths left open and strings in pieces, as NSS writes it', () => {
    const indefinite = Buffer.concat([Buffer.of(0x30, 0x80), FILE.subarray(4), Buffer.of(0, 0)]);
    expect(openPkcs12(indefinite, 'secret').chain).toHaveLength(1);
    const contents = safe(certificateBag(), keyBag());
    const pieces = element(0x24, octets(contents.subarray(0, 9)), octets(contents.subarray(9)));
    const made = sequence(integer(3), sequence(oid('1.2.840.113549.1.7.1'), element(0xa0, pieces)));
    expect(openPkcs12(made, '').chain).toHaveLength(1);
  });

  it.each([
    ['base64', FILE.toString('base64')],
    ['base64 in lines', FILE.toString('base64').replace(/.{64}/g, '$&\r\n')],
    ['PEM', `-----BEGIN PKCS12-----\n${FILE.toString('base64')}\n-----END PKCS12-----\n`],
  ])('opens from %s, as secrets hold it', (_, text) => {
    expect(openPkcs12(Buffer.from(text), 'secret').chain).toHaveLength(1);
  });

  it('opens with zero bytes and line feeds behind it, which blocks of a disk and editors leave', () => {
    expect(openPkcs12(Buffer.concat([FILE, Buffer.of(0, 0, 0x0a)]), 'secret').chain).toHaveLength(1);
  });

  it('takes the key that was named, of several, and tells of the others', () => {
    const [one, other] = [attributes(1, 'one'), attributes(2, 'other')];
    const made = file(safe(certificateBag(one), keyBag(one), certificateBag(other), keyBag(other)));
    expect(openPkcs12(made, '').names).toEqual(['one', 'other']);
    expect(openPkcs12(made, '', 'other').chain).toHaveLength(1);
    expect(() => openPkcs12(made, '', 'third')).toThrow('no key named "third"; it has "one", "other"');
  });

  it('opens off the main thread as at once', async () => {
    const { chain, key } = await openPkcs12OffThread(FILE, 'secret');
    expect([chain[0].der, key.export({ type: 'pkcs8', format: 'der' })]).toEqual([CERTIFICATE, KEY]);
  });

  it('gives its certificates where it holds nothing else', () => {
    const made = file(safe(certificateBag(attributes(1, 'root')), certificateBag()));
    expect(pkcs12Certificates(readPkcs12(made, '')).map(({ friendlyName }) => friendlyName)).toEqual([
      'root',
      undefined,
    ]);
  });

  it('opens with PBMAC1, and tells another passphrase by it', () => {
    const made = file(safe(certificateBag(), keyBag()), pbmac1('secret', 1_000));
    expect(openPkcs12(made, 'secret').chain).toHaveLength(1);
    expect(problem(made, 'other').reason).toBe('passphrase');
  });

  it('opens with a key derived by scrypt', () => {
    const made = file(safe(certificateBag(), scryptKeyBag('secret', 1_024)));
    expect(openPkcs12(made, 'secret').chain).toHaveLength(1);
    expect(problem(made, 'other').reason).toBe('passphrase');
  });
});

describe("what can't be opened says why", () => {
  it.each([
    ['nothing', Buffer.alloc(0), 'it is empty'],
    ['PEM text', Buffer.from('-----BEGIN CERTIFICATE-----'), 'it holds a certificate ("CERTIFICATE")'],
    ['a certificate', CERTIFICATE, 'it holds a certificate (DER)'],
    ['bytes after the end', Buffer.concat([FILE, Buffer.of(7)]), '1 bytes too many'],
    ['a file too large', Buffer.alloc(1_048_577), '1,048,577 bytes, over the limit of 1,048,576'],
  ])('%s is garbage', (_, bytes, message) => {
    expect(problem(bytes)).toMatchObject({
      reason: 'malformed',
      message: expect.stringContaining(message) as unknown,
    });
  });

  it('too many rounds of key derivation are refused before they are run', () => {
    const made = file(safe(certificateBag(), keyBag()), pbmac1('secret', 1, 2_000_000_000));
    expect(problem(made)).toMatchObject({
      reason: 'unsupported',
      message: expect.stringContaining('2,000,000,000 rounds') as unknown,
    });
  });

  it('a scrypt that is too costly is refused before it is run', () => {
    const made = file(safe(certificateBag(), scryptKeyBag('secret', 1_024, 2 ** 30)));
    expect(problem(made)).toMatchObject({
      reason: 'unsupported',
      message: expect.stringContaining('1,073,741,824 rounds') as unknown,
    });
  });

  it('no certificate or no key is half a pair', () => {
    expect(problem(file(safe(keyBag())))).toMatchObject({
      reason: 'incomplete',
      message: 'the PKCS#12 file holds no certificate and 1 private key',
    });
    expect(problem(file(safe(certificateBag(), certificateBag())))).toMatchObject({
      reason: 'incomplete',
      message: 'the PKCS#12 file holds 2 certificates and no private key',
    });
  });

  it('a key that belongs to none of the certificates is a mismatch', () => {
    expect(problem(file(safe(certificateBag(), keyBag(1, strangeKey())))).reason).toBe('key-mismatch');
  });

  it('a signed or public-key file is unsupported', () => {
    const signed = sequence(integer(3), sequence(oid('1.2.840.113549.1.7.2')));
    expect(problem(signed).message).toContain('signed with a key');
    const enveloped = sequence(sequence(oid('1.2.840.113549.1.7.3')));
    expect(problem(file(enveloped)).message).toContain('for a certificate');
  });
});

describe('whatever the bytes', () => {
  const plain = file(safe(certificateBag(1), keyBag(1), scryptKeyBag('secret', 2)));

  it.each([
    ['locked', FILE],
    ['in the clear', plain],
  ])('a file that was changed opens or is refused with a reason: %s', (_, original) => {
    const change = fc.record({ at: fc.nat(original.length - 1), byte: fc.nat(255) });
    const changes = fc.array(change, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(changes, fc.option(fc.nat(original.length)), (changed, cut) => {
        const bytes = Buffer.from(original);
        for (const { at, byte } of changed) bytes[at] = byte;
        expectOpenedOrRefused(bytes.subarray(0, cut ?? undefined));
      }),
      { numRuns: 500 },
    );
  });

  it('random bytes are refused with a reason', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expectOpenedOrRefused(bytes)));
  });
});

function expectOpenedOrRefused(bytes: Uint8Array): void {
  try {
    expect(openPkcs12(bytes, 'secret').chain.length).toBeGreaterThan(0);
  } catch (error) {
    expect(error).toBeInstanceOf(CredentialsError);
  }
}

function problem(bytes: Uint8Array, passphrase = 'secret'): CredentialsError {
  try {
    openPkcs12(bytes, passphrase);
  } catch (error) {
    if (error instanceof CredentialsError) return error;
    throw error;
  }
  throw new Error('the file was opened');
}

// A writer of the files that OpenSSL's tool doesn't make.

function file(authenticatedSafe: Buffer, mac?: (contents: Buffer) => Buffer): Buffer {
  const content = sequence(oid('1.2.840.113549.1.7.1'), element(0xa0, octets(authenticatedSafe)));
  return sequence(integer(3), content, ...(mac === undefined ? [] : [mac(authenticatedSafe)]));
}

function safe(...bags: Buffer[]): Buffer {
  return sequence(sequence(oid('1.2.840.113549.1.7.1'), element(0xa0, octets(sequence(...bags)))));
}

function certificateBag(marks?: number | Buffer[]): Buffer {
  const value = sequence(oid('1.2.840.113549.1.9.22.1'), element(0xa0, octets(CERTIFICATE)));
  return bag('1.2.840.113549.1.12.10.1.3', value, marks);
}

function keyBag(marks?: number | Buffer[], pkcs8: Buffer = KEY): Buffer {
  return bag('1.2.840.113549.1.12.10.1.1', pkcs8, marks);
}

/** @param told the cost that the file names, where that isn't the one it was encrypted with */
function scryptKeyBag(passphrase: string, cost: number, told = cost): Buffer {
  const iv = Buffer.alloc(16, 9);
  const cipher = createCipheriv('aes-256-cbc', scryptSync(passphrase, SALT, 32, { cost, blockSize: 1 }), iv);
  const encrypted = Buffer.concat([cipher.update(KEY), cipher.final()]);
  const kdf = sequence(
    oid('1.3.6.1.4.1.11591.4.11'),
    sequence(octets(SALT), integer(told), integer(1), integer(1)),
  );
  const scheme = sequence(oid('2.16.840.1.101.3.4.1.42'), octets(iv));
  const algorithm = sequence(oid('1.2.840.113549.1.5.13'), sequence(kdf, scheme));
  return bag('1.2.840.113549.1.12.10.1.2', sequence(algorithm, octets(encrypted)));
}

function bag(kind: string, value: Buffer, marks: number | Buffer[] = []): Buffer {
  const given = typeof marks === 'number' ? attributes(marks) : marks;
  return sequence(oid(kind), element(0xa0, value), ...(given.length === 0 ? [] : [element(0x31, ...given)]));
}

function attributes(localKeyId: number, name?: string): Buffer[] {
  const id = element(0x31, octets(Buffer.of(localKeyId)));
  const marked = sequence(oid('1.2.840.113549.1.9.21'), id);
  if (name === undefined) return [marked];
  const shown = element(0x31, element(0x1e, Buffer.from(name, 'utf16le').swap16()));
  return [marked, sequence(oid('1.2.840.113549.1.9.20'), shown)];
}

function pbmac1(passphrase: string, iterations: number, told = iterations): (contents: Buffer) => Buffer {
  return (contents) => {
    const code = createHmac('sha256', pbkdf2Sync(passphrase, SALT, iterations, 32, 'sha256'))
      .update(contents)
      .digest();
    const hmac = sequence(oid('1.2.840.113549.2.9'), element(0x05));
    const pbkdf2 = sequence(
      oid('1.2.840.113549.1.5.12'),
      sequence(octets(SALT), integer(told), integer(32), hmac),
    );
    const algorithm = sequence(oid('1.2.840.113549.1.5.14'), sequence(pbkdf2, hmac));
    return sequence(sequence(algorithm, octets(code)), octets(SALT), integer(1));
  };
}

const strangeKey = (): Buffer =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'der' });

const sequence = (...parts: Buffer[]): Buffer => element(0x30, ...parts);
const octets = (bytes: Buffer): Buffer => element(0x04, bytes);

function element(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const size = bytesOf(content.length);
  const length = content.length < 0x80 ? size : [0x80 | size.length, ...size];
  return Buffer.concat([Buffer.of(tag, ...length), content]);
}

function integer(value: number): Buffer {
  const bytes = bytesOf(value);
  return element(0x02, Buffer.from((bytes[0] as number) >= 0x80 ? [0, ...bytes] : bytes));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

const bytesOf = (value: number): number[] =>
  value < 256 ? [value] : [...bytesOf(Math.floor(value / 256)), value % 256];

function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    bytes.unshift((rest % 128) | 128);
  return bytes;
}
