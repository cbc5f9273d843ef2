import * as crypto from 'node:crypto';
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  pbkdf2Sync,
  createCipheriv,
} from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readPrivateKey, readPrivateKeyOffThread } from '@knsock/core/x509';
import { describe, expect, it } from 'vitest';

const fixture = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}`, import.meta.url));
const clear = fixture('clear.pem').toString();
const encrypted = readdirSync(new URL('fixtures/', import.meta.url)).filter((name) =>
  /^(PBE|trad|v2)-.*\.pem$|^openssh-p256-|^putty-v2\.ppk$/.test(name),
);
/** Those that `readPrivateKey` leaves to `readPrivateKeyOffThread`. */
const isOffThreadOnly = (name: string): boolean => /^(openssh|putty)/.test(name);
const pemOf = (key: ReturnType<typeof readPrivateKey>): string | Buffer =>
  key.export({ type: 'pkcs8', format: 'pem' });
const DER = createPrivateKey(clear).export({ type: 'pkcs8', format: 'der' });

describe('an encrypted private key', () => {
  it.each(encrypted)('opens as OpenSSL wrote it: %s', async (name) => {
    expect(pemOf(await readPrivateKeyOffThread(fixture(name), 'secret'))).toBe(clear);
    if (!isOffThreadOnly(name)) expect(pemOf(readPrivateKey(fixture(name), 'secret'))).toBe(clear);
  });

  it.each(encrypted)('stays closed with another passphrase, or with none: %s', async (name) => {
    const told = { code: 'KNSOCK_CREDENTIALS_PASSPHRASE' };
    await expect(readPrivateKeyOffThread(fixture(name), 'Secret')).rejects.toMatchObject(told);
    await expect(readPrivateKeyOffThread(fixture(name))).rejects.toMatchObject(told);
    if (isOffThreadOnly(name)) return;
    expect(() => readPrivateKey(fixture(name), 'Secret')).toThrow(expect.objectContaining(told));
    expect(() => readPrivateKey(fixture(name))).toThrow(expect.objectContaining(told));
  });

  it('that asks for Argon2 opens where Node has it, and is named elsewhere, with what to do', async () => {
    const locked = fixture('putty-v3.ppk');
    const opened = readPrivateKeyOffThread(locked, 'secret').then(pemOf);
    if ('argon2' in crypto) {
      expect(await opened).toBe(clear);
      await expect(readPrivateKeyOffThread(locked, 'Secret')).rejects.toMatchObject({
        code: 'KNSOCK_CREDENTIALS_PASSPHRASE',
      });
    } else
      await expect(opened).rejects.toMatchObject({
        code: 'KNSOCK_CREDENTIALS_UNSUPPORTED',
        hint: expect.stringContaining('puttygen') as unknown,
      });
  });

  it.each([
    ['openssh-p256-ctr', 'KNSOCK_CREDENTIALS_UNSUPPORTED', 24, 2 ** 24],
    ['openssh-p256-ctr', 'KNSOCK_CREDENTIALS_MALFORMED', 24, 0],
  ])(
    'of OpenSSH is refused before any work, where it asks for too much: %s',
    async (name, code, rounds, asked) => {
      const [, base64 = ''] = /KEY-----([^-]+)---/.exec(fixture(name).toString()) ?? [];
      const der = Buffer.from(base64, 'base64');
      const at = der.indexOf('bcrypt') + 'bcrypt'.length + 4 + 4 + 16;
      expect(der.readUInt32BE(at)).toBeLessThanOrEqual(rounds);
      der.writeUInt32BE(asked, at);
      const changed = `-----BEGIN OPENSSH PRIVATE KEY-----\n${der.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----`;
      await expect(readPrivateKeyOffThread(changed, 'secret')).rejects.toMatchObject({ code });
    },
  );

  it('of PuTTY that was changed, or asks for much memory, is refused', async () => {
    const open = async (text: string | Buffer) => pemOf(await readPrivateKeyOffThread(text, 'secret'));
    const text = fixture('putty-v2-clear.ppk').toString();
    expect(await open(text)).toBe(clear);
    expect(await open(fixture('putty-v3-clear.ppk'))).toBe(clear);
    await expect(open(text.replace('a key', 'b key'))).rejects.toThrow('was changed after it was made');
    const lines = text.replace(/Private-Lines: \d+/, 'Private-Lines: 900');
    await expect(open(lines)).rejects.toThrow('cut short');
    const much = fixture('putty-v3.ppk')
      .toString()
      .replace(/Argon2-Memory: \d+/, 'Argon2-Memory: 262145');
    await expect(open(much)).rejects.toThrow('262,145 KiB of memory');
    await expect(open(text.replace('File-2', 'File-1'))).rejects.toThrow('PuTTY key of version 1');
  });

  it.each(['openssh-p256-ctr', 'putty-v2.ppk', 'putty-v2-clear.ppk'])(
    'of another program is not read at once, and says how it is: %s',
    (name) => {
      expect(() => readPrivateKey(fixture(name), 'secret')).toThrow(
        expect.objectContaining({
          code: 'KNSOCK_CREDENTIALS_UNSUPPORTED',
          hint: expect.stringContaining('loadCredentials') as unknown,
        }),
      );
    },
  );

  it.each([
    ['at once', readPrivateKey],
    ['off the main thread', readPrivateKeyOffThread],
  ])('that asks for too many rounds is refused before any work: %s', async (_, read) => {
    const told = {
      code: 'KNSOCK_CREDENTIALS_UNSUPPORTED',
      message: expect.stringContaining('2,147,483,647') as unknown,
    };
    await expect((async () => read(locked(2 ** 31 - 1, 1), 'secret'))()).rejects.toMatchObject(told);
  });

  it("may ask for the rounds that today's programs write", async () => {
    expect(pemOf(await readPrivateKeyOffThread(locked(600_000), 'secret'))).toBe(clear);
  });
});

describe('a private key in another form', () => {
  const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const p256 = createPrivateKey(clear);
  const lines = clear.trim().split('\n');

  it.each([
    ['PKCS#8 DER', DER],
    ['SEC1 DER', p256.export({ type: 'sec1', format: 'der' })],
    ['base64 alone', DER.toString('base64')],
    ['UTF-16 with its mark', Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(clear, 'utf16le')])],
    [
      'UTF-16, high byte first',
      Buffer.concat([Buffer.of(0xfe, 0xff), Buffer.from(clear, 'utf16le').swap16()]),
    ],
    ['UTF-16 without a mark', Buffer.from(clear, 'utf16le')],
    ['UTF-8 with a mark', Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), Buffer.from(clear)])],
    ['escaped line ends', lines.join('\\n')],
    ['escaped line ends of Windows, in quotes', `"${lines.join('\\r\\n')}"`],
    ['spaces for line ends', lines.join(' ')],
    ['carriage returns alone', lines.join('\r')],
    ['indented', lines.map((line) => `    ${line}`).join('\n')],
    [
      "behind the curve's parameters",
      `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${clear}`,
    ],
    ['without a line feed at its end', clear.trim()],
    ['DER with a line feed behind it', Buffer.concat([DER, Buffer.from('\n')])],
    ['JWK', JSON.stringify(p256.export({ format: 'jwk' }))],
    ['a set of one JWK', JSON.stringify({ keys: [p256.export({ format: 'jwk' })] })],
    ['version 2, with its public half', secondVersion()],
  ])('opens: %s', (_, input) => {
    expect(pemOf(readPrivateKey(input))).toBe(clear);
  });

  it('opens as RSA in PKCS#1, JWK and DER', () => {
    for (const input of [
      rsa.export({ type: 'pkcs1', format: 'pem' }) as string,
      rsa.export({ type: 'pkcs1', format: 'der' }),
      JSON.stringify(rsa.export({ format: 'jwk' })),
    ])
      expect(readPrivateKey(input).equals(rsa)).toBe(true);
  });

  it.each(['p256', 'ed25519', 'rsa'])('opens as OpenSSH wrote it: %s', (kind) => {
    const spki = createPublicKey(readPrivateKey(fixture(`openssh-${kind}`))).export({ format: 'jwk' });
    const [, line = ''] = fixture(`openssh-${kind}.pub`).toString().split(' ');
    const number = spki.n ?? spki.x ?? '';
    expect(Buffer.from(line, 'base64').includes(Buffer.from(number, 'base64url'))).toBe(true);
  });

  it('whose public half was exchanged is refused', () => {
    const jwk = {
      ...p256.export({ format: 'jwk' }),
      ...pick(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
    };
    expect(() => readPrivateKey(JSON.stringify(jwk))).toThrow("don't belong together");
  });
});

describe("what isn't a private key", () => {
  const spki = createPublicKey(clear);

  it.each([
    ['a public key', spki.export({ type: 'spki', format: 'pem' }) as string, 'a public key', 'private key'],
    [
      'a public key in DER',
      spki.export({ type: 'spki', format: 'der' }),
      'a public key (DER)',
      'private key',
    ],
    ['an SSH public key', fixture('openssh-p256.pub'), 'an SSH public key', 'without .pub'],
    [
      'a certificate',
      '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n',
      'a certificate',
      'certFile',
    ],
    [
      'a request',
      '-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n',
      '(CSR)',
      'certs sign',
    ],
    [
      'parameters',
      '-----BEGIN EC PARAMETERS-----\nMAA=\n-----END EC PARAMETERS-----\n',
      'parameters alone',
      '-genkey',
    ],
    ['a Java keystore', Buffer.from('feedfeed0000000200000000', 'hex'), '(JKS)', '--pfx'],
    ['a database of NSS', Buffer.from('SQLite format 3\0\x10\0\x01\x01'), 'cert9.db', 'pk12util'],
    ['a web page', '<!DOCTYPE html><html>', 'an HTML page', 'log in'],
    [
      'a Kubernetes secret',
      'apiVersion: v1\nkind: Secret\ndata:\n  tls.key: LS0t\n',
      'Kubernetes',
      'kubectl',
    ],
    ['nothing', '', 'is empty', 'wrong path'],
    [
      'a JWK without its private half',
      JSON.stringify(spki.export({ format: 'jwk' })),
      'public half alone',
      '"d"',
    ],
    ['a damaged block', '-----BEGIN PRIVATE KEY-----\nMAA\n', 'never closed', 'complete'],
  ])('is named: %s', (_, input, what, advice) => {
    expect(() => readPrivateKey(input)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(what) as unknown,
        hint: expect.stringContaining(advice) as unknown,
      }),
    );
  });
});

function pick({ publicKey }: ReturnType<typeof generateKeyPairSync>): object {
  const { x, y } = publicKey.export({ format: 'jwk' });
  return { x, y };
}

/** @param told the rounds that the key names; @param run those that it was encrypted with */
function locked(told: number, run = told): string {
  const [salt, iv] = [Buffer.alloc(8, 1), Buffer.alloc(16, 2)];
  const cipher = createCipheriv('aes-256-cbc', pbkdf2Sync('secret', salt, run, 32, 'sha256'), iv);
  const sealed = Buffer.concat([cipher.update(DER), cipher.final()]);
  const rounds = Buffer.alloc(4);
  rounds.writeUInt32BE(told);
  const kdf = tlv(
    0x30,
    hex('06092a864886f70d01050c'),
    tlv(0x30, tlv(4, salt), tlv(2, minimal(rounds)), hex('300c06082a864886f70d02090500')),
  );
  const scheme = tlv(0x30, hex('060960864801650304012a'), tlv(4, iv));
  const algorithm = tlv(0x30, hex('06092a864886f70d01050d'), tlv(0x30, kdf, scheme));
  const info = tlv(0x30, algorithm, tlv(4, sealed));
  return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${info.toString('base64')}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
}

function secondVersion(): Buffer {
  const content = DER.subarray(DER[1] === 0x81 ? 3 : 2);
  const point = createPublicKey(clear).export({ type: 'spki', format: 'der' }).subarray(-65);
  return tlv(0x30, hex('020101'), content.subarray(3), tlv(0x81, Buffer.of(0), point));
}

function minimal(bytes: Buffer): Buffer {
  const short = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  return (short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), short]) : short;
}

function tlv(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}
