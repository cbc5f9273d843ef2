/** Certificates that certbot keeps: its folders are checked, served, and followed when it renews. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { lstat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect, createCredentials, lines, listen, watchCredentials } from '@knsock/core';
import { beforeEach, expect, it } from 'vitest';
import { knsock, startServe } from '../support/command.js';
import { arrangeAcme } from './acme-arrangement.js';
import type { Pebble } from './pebble.js';
import { needsTools } from './tools.js';

const run = promisify(execFile);
const NAME = 'db.example';

const acme = arrangeAcme();
let pebble: Pebble;
/** `live/NAME`, whose files are links into `archive/NAME`. */
let live: string;
/** The CA that certified the name. */
let root: string;

beforeEach(async (context) => {
  needsTools(context, 'certbot');
  pebble = await acme.pebble(context, { validity: 90 * 86_400 });
  await writeFile(join(acme.folder, 'directory.crt'), pebble.ca);
  live = join(acme.folder, 'config', 'live', NAME);
  await certbot('certonly', '--standalone', '--http-01-port', String(pebble.httpPort), '--domain', NAME);
  root = join(acme.folder, 'root.crt');
  await writeFile(root, await pebble.root());
});

const renew = (...flags: string[]) =>
  certbot('renew', '--force-renewal', '--no-random-sleep-on-renew', ...flags);

async function certbot(command: string, ...flags: string[]): Promise<void> {
  const folders = ['config', 'work', 'logs'].flatMap((name) => [`--${name}-dir`, join(acme.folder, name)]);
  const account = ['--agree-tos', '--register-unsafely-without-email', '--non-interactive'];
  const env = { ...process.env, REQUESTS_CA_BUNDLE: join(acme.folder, 'directory.crt') };
  const all = [command, '--server', pebble.directory, ...folders, ...account, ...flags];
  await run('certbot', all, { env });
}

const files = (...names: string[]) => names.map((name) => join(live, `${name}.pem`));
const serialNow = async () => new X509Certificate(await readFile(join(live, 'cert.pem'))).serialNumber;

it('are read through their links by check, certs expiry and certs lint, without a complaint', async () => {
  expect((await lstat(join(live, 'cert.pem'))).isSymbolicLink()).toBe(true);
  const checked = await knsock(['check', live, '--ca', root, '--json']);
  const reports = JSON.parse(`[${checked.stdout.trim().replaceAll('\n', ',')}]`) as {
    target: string;
    findings: { rule: string }[];
  }[];
  expect(checked.code).toBe(0);
  expect(reports.map(({ target }) => target)).toEqual(files('cert', 'chain', 'fullchain'));
  const found = reports.flatMap(({ findings }) => findings.map(({ rule }) => rule));
  expect([...new Set(found)]).toEqual(['revocation']); // pebble has no list
  const expiry = await knsock(['certs', 'expiry', live]);
  expect(expiry).toMatchObject({ code: 0, stderr: '' });
  for (const file of files('cert', 'fullchain')) expect(expiry.stdout).toContain(`${file}  CN=${NAME}`);
  const lint = await knsock(['certs', 'lint', ...files('fullchain')]);
  expect(lint).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing odd') as string });
});

it('are served, and their renewal reaches knsock serve by a hook, without a dropped connection', async () => {
  const [cert = '', key = ''] = files('fullchain', 'privkey');
  const { serve, address } = await startServe(['--cert', cert, '--key', key, '--framing', 'lines']);
  await using _ = serve;
  await expectRenewal(Number(address.split(':')[1]), async () => {
    await renew('--deploy-hook', `kill -HUP ${String(serve.pid)}`);
    await serve.says(/"event":"reloaded"/);
  });
});

it('are followed by a program without a hook', async () => {
  const [certFile = '', keyFile = ''] = files('fullchain', 'privkey');
  const watched = await watchCredentials({ certFile, keyFile }, { interval: 100 });

  const server = await listen(
    { port: 0, host: '127.0.0.1', credentials: watched, framing: lines() },
    (connection) => {
      connection.onMessage((text) => connection.send(text));
    },
  );
  acme.keep(server);
  const port = 'port' in server.address ? server.address.port : 0;
  await expectRenewal(port, async () => {
    const rotated = new Promise<void>((resolve) => watched.onChange(() => resolve()));
    await renew();
    await rotated;
  });
});

/** The connection made before the renewal lives on, and the one made after it sees the new certificate. */
async function expectRenewal(port: number, renewed: () => Promise<void>): Promise<void> {
  const [before, early] = [await serialNow(), await connected(port)];
  await renewed();
  const [after, late] = [await serialNow(), await connected(port)];
  expect(after).not.toBe(before);
  expect([early, late].map(({ peer }) => peer?.certificate.serial.toUpperCase())).toEqual([before, after]);
  for (const connection of [early, late]) {
    await connection.send('still here');
    expect(String(await connection.receive())).toBe('still here');
    await connection.close();
  }
}

/** Without resumption, which would show the certificate of the first handshake. */
async function connected(port: number) {
  const credentials = createCredentials({ ca: await readFile(root, 'utf8') });
  const where = { host: '127.0.0.1', servername: NAME, port };
  return await connect({ ...where, credentials, framing: lines(), resume: false });
}
