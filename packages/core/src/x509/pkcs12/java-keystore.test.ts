import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { arrangePkcs12 } from './open.js';
import { readPkcs12, readPkcs12OffThread } from './read.js';

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../../../../tests/src/files/fixtures/${name}`, import.meta.url));
const clear = fixture('clear.pem').toString();

/** The same with a digest that fits. */
function sealed(entries: Buffer, passphrase = 'secret'): Buffer {
  const secret = Buffer.from(passphrase, 'utf16le').swap16();
  const digest = createHash('sha1').update(secret).update('Mighty Aphrodite').update(entries).digest();
  return Buffer.concat([entries, digest]);
}

describe.each(['server.jks', 'server.jceks'])('a keystore of keytool: %s', (name) => {
  const store = fixture(name);

  it('gives its key, with its certificate, and what it trusts', async () => {
    {
      const contents = await readPkcs12OffThread(store, 'secret');
      expect(contents.keys.map(({ friendlyName }) => friendlyName)).toEqual(['server']);
      expect(contents.certificates.map(({ friendlyName }) => friendlyName).sort()).toEqual(['ca', 'server']);
      const { key, chain } = arrangePkcs12(contents, 'server');
      expect(key.export({ type: 'pkcs8', format: 'pem' })).toBe(clear);
      expect(String(chain[0].subject)).toBe('CN=a keystore');
    }
  });

  it.each([
    ['another passphrase', store, 'Secret', 'KNSOCK_CREDENTIALS_PASSPHRASE'],
    ['no passphrase', store, undefined, 'KNSOCK_CREDENTIALS_PASSPHRASE'],
    [
      'a changed byte',
      Buffer.concat([store.subarray(0, -1), Buffer.of(1)]),
      'secret',
      'KNSOCK_CREDENTIALS_PASSPHRASE',
    ],
    ['a store cut short', sealed(store.subarray(0, 200)), 'secret', 'KNSOCK_CREDENTIALS_MALFORMED'],
    ['the beginning alone', store.subarray(0, 4), 'secret', 'KNSOCK_CREDENTIALS_PASSPHRASE'],
    [
      'a store of a later version',
      sealed(Buffer.concat([store.subarray(0, 4), Buffer.of(0, 0, 0, 3)])),
      'secret',
      'KNSOCK_CREDENTIALS_MALFORMED',
    ],
    [
      'a secret key',
      sealed(
        Buffer.concat([store.subarray(0, 8), Buffer.from('0000000100000003000161', 'hex'), Buffer.alloc(8)]),
      ),
      'secret',
      'KNSOCK_CREDENTIALS_UNSUPPORTED',
    ],
  ])('stays closed with %s', async (_, bytes, passphrase, code) => {
    await expect(readPkcs12OffThread(bytes, passphrase)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^the Java keystore /) as unknown,
    });
  });

  it("names a key whose passphrase is not the store's, with what to do", async () => {
    await expect(readPkcs12OffThread(sealed(store.subarray(0, -20), 'other'), 'other')).rejects.toMatchObject(
      {
        code: 'KNSOCK_CREDENTIALS_UNSUPPORTED',
        message: expect.stringContaining('holds the key "server"') as unknown,
        hint: expect.stringContaining('keytool -keypasswd') as unknown,
      },
    );
  });

  it('is not read at once, and says how it is', () => {
    expect(() => readPkcs12(store, 'secret')).toThrow(
      expect.objectContaining({
        code: 'KNSOCK_CREDENTIALS_UNSUPPORTED',
        hint: expect.stringContaining('loadCredentials') as unknown,
      }),
    );
  });
});
