/** `--crl URL`: revocations at an authority server reach servers, proxies and clients by themselves. */
import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStore, type Authority } from '@knsock/certs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knsock, startKnsock, startServe, type Running } from '../support/command.js';
import { answerer, dial, startProxy, type StartedProxy } from '../support/proxying.js';

let folder: string;
let authority: Authority;
let publishing: Running;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-lists-'));
  const store = await openStore(path.join(folder, 'certs'));
  authority = await store.createAuthority({ commonName: 'Example CA' });
  await authority.issue({ kind: 'server', names: ['localhost', '127.0.0.1'], file: 'server' });
  publishing = startKnsock(
    ['certs', 'serve', '--listen', '127.0.0.1:0', '--crl-listen', '127.0.0.1:0', '--json'],
    { cwd: folder },
  );
  [, url = ''] = await publishing.says(/its revocation list at (http:[^"]+)/);
});
afterAll(async () => {
  await publishing[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const at = (file: string): string => path.join(folder, 'certs', file);
const ca = (): string[] => ['--ca', at('ca/root.crt')];
const pair = (name: string): string[] => [
  ...['--cert', at(`issued/${name}.crt`), '--key', at(`issued/${name}.key`)],
];
const own = (name: string): string[] => [...pair(name), ...ca()];
const cache = (name: string) => ({ XDG_CACHE_HOME: path.join(folder, name) });

async function newClient(name: string): Promise<string[]> {
  await authority.issue({ kind: 'client', commonName: name, file: name });
  return own(name);
}

async function revoke(name: string): Promise<void> {
  const { code } = await knsock(['certs', 'revoke', at(`issued/${name}.crt`)], { cwd: folder });
  expect(code).toBe(0);
}

// Most of it is waiting for the authority's five seconds.
describe.concurrent('--crl URL', () => {
  it.each(['raw', 'knsock', 'lines'])(
    'ends a peer of serve soon after its certificate was revoked, and refuses it from then on (%s)',
    async (framing) => {
      const client = await newClient(`alice-${framing}`);
      const speaking = ['--framing', framing];
      const followed = [...speaking, ...own('server'), '--crl', url];
      const { serve, address } = await startServe(followed, { env: cache(framing) });
      await using _ = serve;
      await using held = startKnsock(['send', address, ...speaking, ...client]);
      await serve.says(/"event":"open"/);
      await revoke(`alice-${framing}`);
      const [line] = await serve.says(/^.*"event":"close".*$/m);
      expect(JSON.parse(line)).toMatchObject({ code: 'KNSOCK_PEER_REVOKED' });
      await held.ended();
      const refused = await knsock(['send', address, ...speaking, ...client], { input: 'x' });
      expect(refused.code).not.toBe(0);
      await serve.says(/"event":"failure".*KNSOCK_PEER_REVOKED/);
    },
  );

  it('ends the tunnels of both sides of proxy', async () => {
    const client = await newClient('bob');
    await authority.issue({ kind: 'server', names: ['localhost'], file: 'far' });
    await using target = await answerer();
    const listed = ['--crl', url, '--allow-all'];
    await using outer = await startProxy('server', ['--target', target.address, ...own('far'), ...listed]);
    await using inner = await startProxy('client', ['--target', outer.address, ...client, '--crl', url]);
    await tunnelEnds(inner.address, outer, () => revoke('bob'));

    const other = await newClient('carol');
    await using next = await startProxy('client', ['--target', outer.address, ...other, '--crl', url]);
    await tunnelEnds(next.address, next, () => revoke('far'));
  });

  it('applies to send, certs verify and check', async () => {
    await authority.issue({ kind: 'server', names: ['localhost'], file: 'lost' });
    const { serve, address } = await startServe([...pair('lost'), '--client-cert', 'none']);
    await using _ = serve;
    const listed = [...ca(), '--crl', url];
    const verify = ['certs', 'verify', at('issued/lost.crt'), ...listed];
    const check = ['check', address, at('issued/lost.crt'), at('issued/lost.key'), ...listed];
    const env = cache('once');
    expect(await knsock(['send', address, 'hello', ...listed], { env })).toMatchObject({ stdout: 'hello\n' });
    expect(await knsock(verify)).toMatchObject({ code: 0 });
    expect((await knsock(check)).stdout).not.toContain('is revoked');
    await revoke('lost');
    // Others cache a response for as long as the list says; these fetch each time.
    expect(await knsock(['send', address, 'hello', ...listed], { env })).toMatchObject({ code: 91 });
    expect(await knsock(verify)).toMatchObject({ code: 91 });
    const { code, stdout } = await knsock([...check, '--json']);
    expect(code).toBe(3);
    const reports = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { target: string; findings: unknown[] });
    const revoked = reports.filter(({ findings }) => JSON.stringify(findings).includes('revoked'));
    expect(revoked.map(({ target }) => target)).toEqual([at('issued/lost.crt'), address]);
    expect(reports.map(({ target }) => target)).toContain(url);
  });

  it('keeps the cached list over a restart while the URL is unreachable, and reports a missing one', async () => {
    const [good, bad] = [await newClient('dave'), await newClient('eve')];
    await revoke('eve');
    const list = Buffer.from(await (await fetch(url)).arrayBuffer());
    const mirror = createServer((_, response) => response.end(list)).listen(0, '127.0.0.1');
    await once(mirror, 'listening');
    const there = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}/ca.crl`;
    const args = ['--framing', 'lines', ...own('server'), '--crl', there];
    const answers = async (env: Record<string, string>): Promise<(string | number | null)[]> => {
      const { serve, address } = await startServe(args, { env });
      await using _ = serve;
      const send = (who: string[]) => knsock(['send', address, 'hi', '--framing', 'lines', ...who]);
      const sent = [await send(good), await send(bad)];
      if (!mirror.listening) await serve.says(/can't fetch|can't fetch/);
      return sent.map(({ code, stdout }) => (code === 0 ? stdout : code));
    };
    expect(await answers(cache('kept'))).toEqual(['hi\n', 56]);
    mirror.close();
    mirror.closeAllConnections();
    expect(await answers(cache('kept'))).toEqual(['hi\n', 56]);
    expect(await answers(cache('empty'))).toEqual([56, 56]);
  });

  it('refuses an invalid URL, and credentials in one', async () => {
    const wrong = await knsock(['certs', 'verify', at('issued/server.crt'), ...ca(), '--crl', 'http://']);
    expect(wrong).toMatchObject({ code: 2 });
    const secret = await knsock(['serve', ...own('server'), '--crl', 'http://a:b@ca.example/ca.crl']);
    expect(secret.stderr).toContain('no user name and no password');
  });
});

/** Opens a tunnel, has it carry something, and waits for the side that must end it. */
async function tunnelEnds(
  through: string,
  ending: StartedProxy,
  withdraw: () => Promise<void>,
): Promise<void> {
  const socket = dial(through);
  socket.write('hello');
  await ending.running.says(/"event":"open"/);
  await withdraw();
  await ending.running.says(/"event":"close".*KNSOCK_PEER_REVOKED/);
  socket.destroy();
}
