/** PKCS#12, PKCS#7 and Java's key stores in every command that takes certificates: what one opens, all open. */
import { readFile } from 'node:fs/promises';
import { toPkcs12 } from '@knsock/certs';
import { parseCertificates, toPem } from '@knsock/core/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, startServe } from '../support/command.js';
import { severalKeys } from '../support/several-keys.js';
import { integer, oid, sequence, tlv } from '../x509/issue.js';

let files: CertificateFolder;
let opened: string[];
const text = (name: string): Promise<string> => readFile(files.at(name), 'utf8');
const pair = async (name: string) => ({ chain: await text(`${name}.crt`), key: await text(`${name}.key`) });

beforeAll(async () => {
  files = await createCertificateFolder();
  opened = ['--passphrase-file', await files.write('pass', 'secret\n')];
  const p12 = await toPkcs12(await pair('server'), 'secret');
  await files.write('server.p12', p12);
  await files.write('server.p12.pem', toPem('PKCS12', p12));
  await files.write('server.p7b', certsOnly(await text('server.crt')));
  await files.write('two.p12', severalKeys({ server: await pair('server'), client: await pair('client') }));
  await files.write('trust.p12', await toPkcs12({ trust: await text('ca.crt') }, 'secret'));
  await files.write('java.jks', await readFile(new URL('../files/fixtures/server.jks', import.meta.url)));
});
afterAll(() => files[Symbol.asyncDispose]());

/** PKCS#7 of certificates alone (RFC 5652 5.1). */
function certsOnly(chain: string): Buffer {
  const ders = parseCertificates(chain).map(({ der }) => der);
  const content = sequence(oid('1.2.840.113549.1.7.1'));
  const signed = sequence(integer(1), tlv(0x31), content, tlv(0xa0, ...ders), tlv(0x31));
  return sequence(oid('1.2.840.113549.1.7.2'), tlv(0xa0, signed));
}

const forms = ['server.p12', 'server.p12.pem', 'server.p7b', 'server.crt'];

describe.each(forms)('%s', (form) => {
  it('is verified, linted, dated and fingerprinted', async () => {
    const file = files.at(form);
    const ca = ['--ca', files.at('ca.crt')];
    expect(await knsock(['certs', 'verify', file, ...ca, '--name', 'localhost', ...opened])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^trusted: CN=localhost/) as unknown,
    });
    expect(await knsock(['certs', 'lint', file, ...opened])).toMatchObject({ code: 0 });
    const dated = await knsock(['certs', 'expiry', file, '--days', '1', ...opened]);
    expect(dated).toMatchObject({ code: 0, stdout: expect.stringContaining('CN=localhost') as unknown });
    const [leaf] = parseCertificates(await text('server.crt'));
    const shown = await knsock(['certs', 'fingerprint', file, ...opened]);
    expect(shown.stdout).toContain(leaf?.spkiPin);
    expect(await knsock(['check', file, files.at('server.key'), ...ca, ...opened])).toMatchObject({
      code: 0,
    });
    expect(await knsock(['certs', 'inspect', file, ...opened])).toMatchObject({ code: 0 });
    const chain = await knsock(['certs', 'convert', file, '--to', 'chain', ...opened]);
    expect(chain.stdout).toBe(await text('server.crt'));
  });

  it('is opened by certs revoke', async () => {
    const store = files.at(`store-${form}`);
    await knsock(['certs', 'ca', 'Other', '--store', store]);
    const refused = await knsock(['certs', 'revoke', files.at(form), '--store', store, ...opened]);
    // It was opened, and belongs to another authority.
    expect(refused.stderr).toContain('was issued by another authority');
  });
});

describe('a locked file', () => {
  it.each(['verify --ca CA', 'lint', 'fingerprint', 'inspect'])(
    'is refused by certs %s without its passphrase',
    async (words) => {
      const args = words.split(' ').map((word) => (word === 'CA' ? files.at('ca.crt') : word));
      const refused = await knsock(['certs', ...args, files.at('server.p12')]);
      expect(refused.code).toBe(58);
      expect(refused.stderr).toMatch(/server\.p12: .*locked with a passphrase, and none was given/);
      expect(refused.stderr).toContain('KNSOCK_CERTIFICATE_PASSPHRASE');
    },
  );

  it('is unreadable for certs expiry, in a folder too', async () => {
    const { code, stdout } = await knsock(['certs', 'expiry', files.path]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^unreadable .*server\.p12 .*locked with a passphrase/m);
  });
});

describe('a PKCS#12 file with two keys', () => {
  it('is judged key by key', async () => {
    const two = files.at('two.p12');
    const ca = ['--ca', files.at('ca.crt')];
    const verified = await knsock(['certs', 'verify', two, ...ca]);
    expect(verified).toMatchObject({ code: 60 });
    expect(verified.stdout).toMatch(/^server: trusted: .*\nclient: not trusted \(wrong-usage\)/);
    const named = await knsock([
      'certs',
      'verify',
      two,
      ...ca,
      '--pfx-key-name',
      'client',
      '--usage',
      'client',
    ]);
    expect(named).toMatchObject({ code: 0, stdout: expect.stringMatching(/^trusted: CN=app/) as unknown });
    const pins = await knsock(['certs', 'fingerprint', two]);
    expect(pins.stdout).toMatch(/^key {10}server\n(.+\n){2}key {10}client\n/);
    const checked = await knsock(['check', two, ...ca]);
    expect(checked).toMatchObject({ code: 0 });
    expect(checked.stdout).toContain('the key "server" and its chain');
    expect(checked.stdout).toContain('the key "client" and its chain');
    const linted = await knsock(['certs', 'lint', two, '--json']);
    expect(JSON.parse(linted.stdout)).toMatchObject({ findings: [] });
  });

  it('is converted whole to PEM, and one key at a time to what holds one', async () => {
    const two = files.at('two.p12');
    const whole = await knsock(['certs', 'convert', two, '--to', 'pem']);
    expect(whole.stdout.match(/BEGIN PRIVATE KEY/g)).toHaveLength(2);
    expect(parseCertificates(whole.stdout)).toHaveLength(2);
    const client = await knsock(['certs', 'convert', two, '--to', 'chain', '--pfx-key-name', 'client']);
    expect(client.stdout).toBe(await text('client.crt'));
    for (const to of ['chain', 'der', 'pkcs12', 'jwk']) {
      const refused = await knsock(['certs', 'convert', two, '--to', to, ...opened]);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('2 keys ("server", "client")');
    }
  });
});

describe("Java's key store", () => {
  it('is opened by all of them', async () => {
    const jks = files.at('java.jks');
    const shown = await knsock(['certs', 'fingerprint', jks, ...opened]);
    expect(shown.code).toBe(0);
    for (const command of ['lint', 'expiry'])
      expect((await knsock(['certs', command, jks, ...opened])).stderr).not.toContain('code:');
    const verified = await knsock(['certs', 'verify', jks, '--ca', jks, '--partial-chain', ...opened]);
    expect(verified.stdout).toMatch(/trusted/);
  });
});

describe('a trust store as --ca', () => {
  it('is what check, verify, serve and send trust', async () => {
    const ca = ['--ca', files.at('trust.p12'), ...opened];
    const own = [files.at('server.crt'), files.at('server.key')] as const;
    expect(await knsock(['certs', 'verify', own[0], ...ca])).toMatchObject({ code: 0 });
    expect(await knsock(['check', ...own, ...ca])).toMatchObject({ code: 0 });
    const { serve, address } = await startServe([
      '--cert',
      own[0],
      '--key',
      own[1],
      ...ca,
      '--framing',
      'lines',
    ]);
    await using _ = serve;
    const client = ['--cert', files.at('client.crt'), '--key', files.at('client.key')];
    const sent = await knsock(['send', address, 'hi', '--framing', 'lines', ...client, ...ca]);
    expect(sent).toMatchObject({ code: 0, stdout: 'hi\n' });
  });

  it('that is locked is named with its reason', async () => {
    const refused = await knsock(['send', 'localhost:1', 'hi', '--ca', files.at('trust.p12')]);
    expect(refused.code).toBe(58);
    expect(refused.stderr).toMatch(/trust\.p12: the PKCS#12 file is locked with a passphrase/);
  });
});
