// @ts-check
import assert from 'node:assert/strict';
import { execFileSync, fork } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from '@knsock/core';
import { ConnectionPool } from '@knsock/pool';
import { credentialsOf, makeCertificates } from './certificates.mjs';
import { fetchFile, sendFile } from './send-and-fetch.mjs';

const MiB = 1_024 * 1_024;
/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {ConnectionPool[]} */
const pools = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-files-test-'));
  await makeCertificates(at('certs'), ['alice', 'bob']);
  server = await startServer();
});

afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));

after(async () => {
  server.child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

/** @param {string[]} parts */
function at(...parts) {
  return join(folder, ...parts);
}

/** @param {string} program @param {string[]} args */
function run(program, ...args) {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = fork(path, args, { silent: true });
  child.stderr?.pipe(process.stderr);
  return child;
}

async function startServer(port = 0) {
  const child = run('server.mjs', String(port), at('certs'), at('files'));
  const [text] = await once(/** @type {import('node:stream').Readable} */ (child.stdout), 'data');
  return { child, port: Number(/\d+/.exec(String(text))?.[0]) };
}

async function alice(max = 4) {
  const endpoints = [{ host: 'localhost', port: server.port }];
  const pool = new ConnectionPool({ endpoints, credentials: await credentialsOf(at('certs'), 'alice'), max });
  pools.push(pool);
  return pool;
}

/** A connection without the client's own checks. @param {string} name */
async function bare(name) {
  const credentials = await credentialsOf(at('certs'), name);
  const connection = await connect({ host: 'localhost', port: server.port, credentials });
  const ask = (/** @type {object} */ order) => connection.request(JSON.stringify(order));
  return { connection, ask };
}

/** A file of that many random bytes. @param {string} name @param {number} size */
async function makeFile(name, size) {
  await writeFile(at(name), randomBytes(size));
  return at(name);
}

/** @param {string} path */
async function hashOf(path) {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

/** The names in a client's folder, and the parts that were left. @param {string} name */
async function contentOf(name) {
  const names = await readdir(at('files', name));
  return {
    names: names.filter((one) => one !== '.incoming').sort(),
    parts: await readdir(at('files', name, '.incoming')),
  };
}

test('sends a file and fetches it again, an empty one too', async () => {
  const pool = await alice();
  for (const size of [0, 1, 5 * MiB + 3]) {
    const path = await makeFile(`there-${size}.bin`, size);
    await sendFile(pool, path);
    await mkdir(at(`back-${size}`));
    await fetchFile(pool, `there-${size}.bin`, at(`back-${size}`));
    assert.equal(await hashOf(at(`back-${size}`, `there-${size}.bin`)), await hashOf(path));
  }
  assert.deepEqual((await contentOf('alice')).parts, []);
});

test('keeps each client in a folder of its own', async () => {
  await sendFile(await alice(), await makeFile('private.bin', 10));
  const endpoints = [{ host: 'localhost', port: server.port }];
  const bob = new ConnectionPool({ endpoints, credentials: await credentialsOf(at('certs'), 'bob') });
  pools.push(bob);
  await assert.rejects(fetchFile(bob, 'private.bin', folder), { remoteCode: 'not-found' });
});

test('sends many files at once, some connections at a time', async () => {
  const pool = await alice(3);
  const paths = await Promise.all(Array.from({ length: 12 }, (_, n) => makeFile(`many-${n}.bin`, MiB + n)));
  await Promise.all(paths.map((path) => sendFile(pool, path)));
  for (const [n, path] of paths.entries()) {
    assert.equal(await hashOf(at('files', 'alice', `many-${n}.bin`)), await hashOf(path));
  }
});

test('refuses to replace another file of that name, and takes the same once more', async () => {
  const path = await makeFile('once.bin', MiB);
  const pool = await alice();
  await sendFile(pool, path);
  await sendFile(pool, path);
  const old = await hashOf(path);
  await makeFile('once.bin', MiB);
  await assert.rejects(sendFile(pool, path), { remoteCode: 'exists' });
  assert.equal(await hashOf(at('files', 'alice', 'once.bin')), old);
});

test("throws away what doesn't have its hash", async () => {
  const { connection, ask } = await bare('alice');
  const taken = ask({ order: 'take', name: 'forged.bin', size: 3, sha256: 'a'.repeat(64) });
  assert.equal(String(await connection.receive()), '0');
  await connection.send('abc');
  await assert.rejects(taken, { remoteCode: 'wrong-hash' });
  await connection.close();
  const { names, parts } = await contentOf('alice');
  assert.ok(!names.includes('forged.bin'));
  assert.deepEqual(parts, []);
});

test('refuses names that lead elsewhere', async () => {
  const { connection, ask } = await bare('alice');
  const sha256 = 'b'.repeat(64);
  const names = [
    '../bob/x',
    '..',
    '.',
    '',
    '/etc/passwd',
    'a/b',
    'a\\b',
    'c:x',
    '.hidden',
    '.incoming',
    'a\0b',
    'NUL',
    'x\n',
    'é'.repeat(101),
    7,
    null,
  ];
  for (const name of names) {
    for (const order of ['describe', 'give', 'take']) {
      await assert.rejects(ask({ order, name, size: 0, sha256 }), { remoteCode: 'bad-name' }, String(name));
    }
  }
  await assert.rejects(ask({ order: 'take', name: 'x', size: 0, sha256: '../../escaped' }), {
    remoteCode: 'bad-request',
  });
  await assert.rejects(ask({ order: 'delete', name: 'x' }), { remoteCode: 'bad-request' });
  await connection.close();
});

test('refuses places that no file has, and keeps nothing open for them', async () => {
  await sendFile(await alice(), await makeFile('whole.bin', 10));
  const openFiles = async () => (await readdir(`/proc/${server.child.pid}/fd`)).length;
  const { connection, ask } = await bare('alice');
  for (const place of ['abc', '-1', '1.5', '1e30']) {
    const before = process.platform === 'linux' ? await openFiles() : 0;
    const asked = ask({ order: 'give', name: 'whole.bin' });
    await connection.send(place);
    await assert.rejects(asked, { remoteCode: 'bad-request' });
    if (process.platform === 'linux') assert.equal(await openFiles(), before);
  }
  await connection.close();
});

test('lets one of two files win a name, and tells the other so', async () => {
  const senders = [await alice(1), await alice(1)];
  await Promise.all([mkdir(at('one')), mkdir(at('two'))]);
  const paths = [await makeFile('one/same.bin', 3 * MiB), await makeFile('two/same.bin', 3 * MiB + 1)];
  const sent = await Promise.allSettled(senders.map((pool, n) => sendFile(pool, paths[n] ?? '')));
  const refused = sent.flatMap((one) => (one.status === 'rejected' ? [one.reason.remoteCode] : []));
  assert.deepEqual(refused, ['exists']);
  const winner = paths.find((_, n) => sent[n]?.status === 'fulfilled') ?? '';
  assert.equal(await hashOf(at('files', 'alice', 'same.bin')), await hashOf(winner));
  assert.deepEqual((await contentOf('alice')).parts, []);
});

test(
  'refuses links, folders, pipes and devices on both sides',
  { skip: process.platform === 'win32' },
  async () => {
    const pool = await alice();
    await sendFile(pool, await makeFile('real.bin', 10));
    await symlink(at('certs', 'issued', 'server.key'), at('files', 'alice', 'link'));
    await mkdir(at('files', 'alice', 'folder'));
    execFileSync('mkfifo', [at('files', 'alice', 'pipe'), at('local-pipe')]);
    for (const name of ['link', 'folder', 'pipe']) {
      await assert.rejects(fetchFile(pool, name, folder), { remoteCode: 'not-a-file' }, name);
      const path = await makeFile(name, 10);
      await assert.rejects(sendFile(pool, path), { remoteCode: 'not-a-file' }, name);
    }
    await symlink(at('real.bin'), at('local-link'));
    for (const path of [at('local-link'), at('local-pipe'), '/dev/zero', folder]) {
      await assert.rejects(sendFile(pool, path), { code: 'not-a-file' }, path);
    }
    await rm(at('files', 'bob'), { recursive: true, force: true });
    await symlink(at('certs'), at('files', 'bob'));
    const bob = await bare('bob');
    await assert.rejects(bob.ask({ order: 'describe', name: 'root.crt' }), { remoteCode: 'not-a-folder' });
    await bob.connection.close();
  },
);

test('a killed client leaves a part and no file, and the next goes on from there', async () => {
  const path = await makeFile('killed-client.bin', 128 * MiB);
  const client = run('client.mjs', String(server.port), at('certs'), 'alice', 'send', path);
  client.stdout?.on('data', (text) => / 25 %/.test(String(text)) && client.kill('SIGKILL'));
  await once(client, 'exit');
  const { names, parts } = await contentOf('alice');
  assert.ok(!names.includes('killed-client.bin'));
  assert.equal(parts.length, 1);
  const had = (await stat(at('files', 'alice', '.incoming', parts[0] ?? ''))).size;
  assert.ok(had > MiB && had < 128 * MiB, `the part has ${had} bytes`);
  /** @type {number[]} */
  const progress = [];
  await sendFile(await alice(), path, (done) => progress.push(done));
  assert.ok((progress[0] ?? 0) >= had, 'it began where the other had ended');
  const most = Math.ceil((128 * MiB - had) / (256 * 1_024)) + 1;
  assert.ok(progress.length <= most, `it sent ${progress.length} chunks where ${most} were missing`);
  assert.equal(await hashOf(at('files', 'alice', 'killed-client.bin')), await hashOf(path));
  assert.deepEqual((await contentOf('alice')).parts, []);
});

test('a killed server loses nothing: transfers both ways go on when it is back', async () => {
  const pool = await alice();
  const [up, down] = [await makeFile('up.bin', 48 * MiB), await makeFile('down.bin', 48 * MiB)];
  await sendFile(pool, down);
  await mkdir(at('fetched'));
  const { child } = server;
  const exit = once(child, 'exit');
  const kill = (/** @type {number} */ done) => done > 16 * MiB && child.kill('SIGKILL');
  const transfers = Promise.all([sendFile(pool, up, kill), fetchFile(pool, 'down.bin', at('fetched'))]);
  transfers.catch(() => undefined); // it is awaited once the server is back
  await exit;
  assert.ok(!(await contentOf('alice')).names.includes('up.bin'));
  server = await startServer(server.port);
  await transfers;
  assert.equal(await hashOf(at('files', 'alice', 'up.bin')), await hashOf(up));
  assert.equal(await hashOf(at('fetched', 'down.bin')), await hashOf(down));
  assert.deepEqual((await contentOf('alice')).parts, []);
});
test("needs no memory for a file's size", async () => {
  const size = Number(process.env['FILE_MIB'] ?? 256) * MiB;
  await writeFile(at('sparse.bin'), 'x');
  await truncate(at('sparse.bin'), size);
  const before = process.memoryUsage.rss();
  let highest = 0;
  const watch = () => (highest = Math.max(highest, process.memoryUsage.rss()));
  await sendFile(await alice(), at('sparse.bin'), watch);
  assert.equal((await stat(at('files', 'alice', 'sparse.bin'))).size, size);
  assert.ok(highest - before < 128 * MiB, `our memory grew by ${Math.round((highest - before) / MiB)} MiB`);
  const peak = await peakMemory(server.child.pid);
  if (peak !== null) assert.ok(peak < 192 * MiB, `the server's memory reached ${Math.round(peak / MiB)} MiB`);
});

/** Linux tells it; elsewhere null. @param {number | undefined} pid */
async function peakMemory(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /VmHWM:\s+(\d+)/.exec(status)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1_024;
}
