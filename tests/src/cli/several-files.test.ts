/** `--ca` and `--crl` given more than once, on every command that takes them. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { createAuthority, type Authority } from '@knsock/certs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, startServe } from '../support/command.js';
import { answerer, dial, startProxy } from '../support/proxying.js';

let files: CertificateFolder;
let first: Authority;
let second: Authority;
let cas: string[];
const listsOf = async () => [
  await files.write('a.crl', (await first.crl()).pem),
  await files.write('b.crl', (await second.crl()).pem),
];
const each = (flag: string, values: readonly string[]) => values.flatMap((value) => [flag, value]);

beforeAll(async () => {
  files = await createCertificateFolder();
  first = await createAuthority({ commonName: 'First', days: 30 });
  second = await createAuthority({ commonName: 'Second', days: 30 });
  cas = each('--ca', [await files.write('a.crt', first.root), await files.write('b.crt', second.root)]);
});
afterAll(() => files[Symbol.asyncDispose]());

async function pair(authority: Authority, name: string, kind: 'server' | 'client') {
  const names = kind === 'server' ? ['localhost', '127.0.0.1'] : [`${name}.example`];
  const { chain, key, certificate } = await authority.issue({ kind, names, days: 7 });
  const cert = await files.write(`${name}.pem`, chain);
  return { cert, certificate, args: ['--cert', cert, '--key', await files.write(`${name}-key.pem`, key)] };
}

describe('--ca and --crl given twice', () => {
  it('all count for serve and send, and all are reloaded', async () => {
    const own = await pair(first, 'own', 'server');
    const [one, other] = [await pair(first, 'one', 'client'), await pair(second, 'other', 'client')];
    const lists = each('--crl', await listsOf());
    const { serve, address } = await startServe([...own.args, ...cas, ...lists, '--framing', 'lines']);
    await using _ = serve;
    const send = ({ args }: { args: string[] }) =>
      knsock(['send', address, 'hi', '--framing', 'lines', ...args, ...cas, ...lists]);
    expect(await send(one)).toMatchObject({ code: 0, stdout: 'hi\n' });
    expect(await send(other)).toMatchObject({ code: 0, stdout: 'hi\n' });
    await second.revoke(other.certificate);
    await listsOf();
    serve.kill('SIGHUP');
    await serve.says(/"event":"reloaded"/);
    expect((await send(other)).code).not.toBe(0);
    expect(await send(one)).toMatchObject({ code: 0, stdout: 'hi\n' });
  });

  it('count beside a URL too, where the lists of files are still obeyed', async () => {
    const own = await pair(first, 'mixed', 'server');
    const [one, other] = [await pair(first, 'uno', 'client'), await pair(second, 'altro', 'client')];
    const [file = ''] = await listsOf();
    const published = (await second.crl()).der;
    const web = createServer((_request, response) => response.end(published)).listen(0, '127.0.0.1');
    await once(web, 'listening');
    const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/b.crl`;
    const env = { XDG_CACHE_HOME: files.at('cache') };
    const flags = [...own.args, ...cas, '--crl', file, '--crl', url, '--framing', 'lines'];
    const { serve, address } = await startServe(flags, { env });
    await using _ = serve;
    const send = ({ args }: { args: string[] }) =>
      knsock(['send', address, 'hi', '--framing', 'lines', ...args, ...cas]);
    expect(await send(one)).toMatchObject({ code: 0 });
    expect(await send(other)).toMatchObject({ code: 0 });
    await first.revoke(one.certificate);
    await listsOf();
    serve.kill('SIGHUP');
    await serve.says(/"event":"reloaded"/);
    expect((await send(one)).code).not.toBe(0);
    expect(await send(other)).toMatchObject({ code: 0 });
    web.close();
    web.closeAllConnections();
  });

  it('a proxy follows a file beside a URL', async () => {
    const own = await pair(first, 'proxy', 'server');
    const client = await pair(first, 'tunnelled', 'client');
    const [file = ''] = await listsOf();
    const published = (await second.crl()).der;
    const web = createServer((_request, response) => response.end(published)).listen(0, '127.0.0.1');
    await once(web, 'listening');
    const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/b.crl`;
    await using target = await answerer();
    const trusting = [...cas, '--crl', file, '--crl', url, '--allow-all'];
    await using outer = await startProxy('server', ['--target', target.address, ...own.args, ...trusting]);
    await using inner = await startProxy('client', ['--target', outer.address, ...client.args, ...cas]);
    const socket = dial(inner.address);
    socket.write('hello');
    await outer.running.says(/"event":"open"/);
    await first.revoke(client.certificate);
    await listsOf();
    await outer.running.says(/"event":"close".*KNSOCK_PEER_REVOKED/);
    socket.destroy();
    web.close();
    web.closeAllConnections();
  });

  it.each([
    ['serve', ['--port', '0']],
    ['send', ['localhost:1', 'x']],
    ['proxy server', ['--listen', ':0', '--target', '127.0.0.1:1', '--allow-all']],
    ['proxy client', ['--listen', '127.0.0.1:0', '--target', '127.0.0.1:1']],
    ['certs verify', ['FIRST']],
    ['check', ['FIRST']],
  ])('%s names the one that is missing', async (command, args) => {
    const { cert, args: own } = await pair(first, 'any', 'server');
    const shown = /serve|proxy/.test(command) ? own : [];
    const given = args.map((word) => (word === 'FIRST' ? cert : word));
    for (const flag of ['--ca', '--crl']) {
      const missing = files.at(`missing-${flag.slice(2)}`);
      const lists = flag === '--ca' ? [] : each('--crl', [(await listsOf())[0] ?? '']);
      const ended = await knsock([
        ...command.split(' '),
        ...given,
        ...shown,
        ...cas,
        ...lists,
        flag,
        missing,
      ]);
      expect(ended.stderr, flag).toContain(missing);
      expect(ended.code, flag).not.toBe(0);
    }
  });
});
