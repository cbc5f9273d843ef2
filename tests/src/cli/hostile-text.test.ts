/** Text that attackers put into certificates, requests, lists, file names and answers never acts on a terminal. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { createCsr } from '@knsock/certs';
import { printable } from '@knsock/core/errors';
import { toPem } from '@knsock/core/x509';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, startServe, type Ended } from '../support/command.js';
import * as make from '../x509/issue.js';

let files: CertificateFolder;
beforeAll(async () => {
  files = await createCertificateFolder();
});
afterAll(() => files[Symbol.asyncDispose]());

/** Everything but line ends that terminals act on or don't show. */
const acting = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

const hostile = {
  /** Of names and URLs in certificates, which are ASCII. */
  ascii: fc.string({
    unit: fc.constantFrom('\u001b[2J', '\u001b]0;x\u0007', '\r', '\n', '\t', '\b', '\u007f', 'a', '.'),
    minLength: 1,
    maxLength: 8,
  }),
  /** Of subjects, which may be anything. */
  text: fc.string({
    unit: fc.constantFrom(
      '\u001b[31m',
      '\u009b1m',
      '\u202e',
      '\u2066',
      '\u200f',
      '\u2028',
      '\u200b',
      '\ufeff',
      '\n',
      'a',
      'é',
    ),
    minLength: 1,
    maxLength: 8,
  }),
};

const year = 365 * 86_400_000;
const dates = () => ({ notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() + year) });

/** A CA and a server's certificate that contain the text wherever a certificate can. */
function madeWith(ascii: string, text: string): { ca: make.Made; leaf: make.Made; crl: Buffer } {
  const ca = make.issueCa({ subject: `O=${text.replaceAll('/', '')}/CN=CA`, ...dates() });
  const point = make.sequence(make.tlv(0xa0, make.tlv(0xa0, make.generalName(`URI:http://x/${ascii}`))));
  const leaf = make.issueServer({
    issuer: ca,
    ...dates(),
    subject: `CN=a${text.replaceAll('/', '')}`,
    names: [
      'DNS:localhost',
      `DNS:${ascii}`,
      `URI:spiffe://x/${ascii}`,
      `email:a${ascii}@x.test`,
      `dir:O=b${text.replaceAll('/', '')}`,
    ],
    extensions: [make.extension('2.5.29.31', make.sequence(point))],
  });
  const thisUpdate = new Date(Date.now() - 60_000);
  const nextUpdate = new Date(Date.now() + year);
  const crl = make.makeCrlDer({ issuer: ca, thisUpdate, nextUpdate, revoked: [{ serial: 7n }] });
  return { ca, leaf, crl };
}

const keyPem = ({ privateKey }: make.Made): string =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

function expectInert({ stdout, stderr }: Ended): void {
  expect(JSON.stringify(stdout.match(acting))).toBe('null');
  expect(JSON.stringify(stderr.match(acting))).toBe('null');
}

describe('text chosen by an attacker', () => {
  it('is escaped in every report on a certificate, a list or a request', { timeout: 120_000 }, async () => {
    const run = async (ascii: string, text: string): Promise<void> => {
      const { ca, leaf, crl } = madeWith(ascii, text);
      const ownName = `h-${text.replaceAll('/', '')}.pem`;
      const chain = await files.write(ownName, toPem('CERTIFICATE', leaf.der));
      const caFile = await files.write('h-ca.pem', toPem('CERTIFICATE', ca.der));
      const list = await files.write('h.crl', crl);
      const { csr } = await createCsr({ names: ['a.test'], keyType: 'ed25519' });
      const request = await files.write('h.csr', csr);
      const all = [
        ['certs', 'inspect', chain, caFile, list, request],
        ['certs', 'inspect', '--json', chain],
        ['certs', 'lint', chain, caFile],
        ['certs', 'lint', '--json', chain],
        ['certs', 'verify', chain, '--ca', caFile, '--crl', list, '--name', `x${text}`],
        ['certs', 'verify', chain, '--ca', files.at('ca.crt'), '--json'],
        ['certs', 'expiry', chain, list],
        ['certs', 'expiry', '--prometheus', chain, list],
        ['certs', 'fingerprint', chain],
        ['check', chain],
        ['check', '--json', chain, list],
        ['certs', 'inspect', `no-such-${text}`],
        ['certs', 'init', files.at(`store-${text.replaceAll('/', '')}`), '--force'],
      ];
      for (const ended of await Promise.all(all.map((args) => knsock(args)))) expectInert(ended);
    };
    await run('\u001b]0;owned\u0007\u001b[2J', '\u001b[31m\u009b1m\u202e\n');
    await fc.assert(fc.asyncProperty(hostile.ascii, hostile.text, run), { numRuns: 3, endOnFailure: true });
  });

  it('is escaped where a server shows it', { timeout: 60_000 }, async () => {
    const { ca, leaf } = madeWith('\u001b[2J\u0007', '\u001b[31m\u202e');
    const cert = await files.write('s.pem', toPem('CERTIFICATE', leaf.der));
    const key = await files.write('s.key', keyPem(leaf));
    const caFile = await files.write('s-ca.pem', toPem('CERTIFICATE', ca.der));
    const { serve, address } = await startServe(['--cert', cert, '--key', key]);
    await using _ = serve;
    const shown = await knsock(['send', address, 'hi', '--ca', caFile, '-v']);
    expect(shown.stderr).toContain(String.raw`\u{1b}[2J`);
    expectInert(shown);
    const wrong = ['send', address, 'hi', '--ca', caFile, '--servername', 'other.test'];
    for (const args of [
      wrong,
      ['send', address, 'hi', '--ca', files.at('ca.crt'), '--debug'],
      ['certs', 'inspect', address],
      ['certs', 'expiry', address],
      ['check', address],
    ])
      expectInert(await knsock(args));
  });

  it('is escaped where a server answers with it instead of TLS, and in a requested name', async () => {
    const server = createServer((socket) =>
      socket.on('error', () => undefined).end('HTTP/1.1 400 \u001b[2J\u0007\r\n\r\n'),
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const args of [
      ['send', address, 'x', '--debug'],
      ['certs', 'inspect', address],
      ['check', address],
      ['send', 'no\u001b[2J.invalid:1', 'x'],
    ])
      expectInert(await knsock(args));
    server.close();
  });

  it('is escaped where a peer breaks the framing, or names an error of its own', async () => {
    const { cert, key } = { cert: files.at('server.crt'), key: files.at('server.key') };
    const { readFile } = await import('node:fs/promises');
    const server = createTlsServer(
      { cert: await readFile(cert), key: await readFile(key), ALPNCallback: ({ protocols }) => protocols[0] },
      (socket) => {
        socket.on('error', () => undefined).end('\u001b[2J\u009b31m owned \u0007 {"a": \u001b}\n');
      },
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `localhost:${(server.address() as AddressInfo).port}`;
    for (const framing of ['knsock', 'length-prefixed'])
      expectInert(
        await knsock(['send', address, 'x', '--framing', framing, '--ca', files.at('ca.crt'), '--debug']),
      );
    const json = ['--framing', 'lines', '--content', 'json', '--ca', files.at('ca.crt')];
    expectInert(await knsock(['send', address, '{}', ...json]));
    server.close();
  });

  it('has no colours of its own if the command uses colours', async () => {
    const { stderr } = await knsock(['certs', 'inspect', 'no-such-\u001b[31mred'], {
      env: { FORCE_COLOR: '1' },
    });
    expect(stderr).toContain('\u001b[31mknsock certs inspect:');
    expect(stderr).not.toContain('\u001b[31mred');
    expect(stderr).toContain(printable('\u001b[31mred'));
  });
});
