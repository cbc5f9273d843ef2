import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createSelfSigned } from '@knsock/certs';
import { connect, createCredentials, lines, type ConnectOptions } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { workspace } from '../docs/documents.js';
import { bare, stockServer } from '../support/raw-tls.js';
import { createWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** `'trusted'`, or the reason why the server isn't. */
async function judge(port: number, options: Partial<ConnectOptions>): Promise<string> {
  try {
    const connection = await connect({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      framing: lines(),
      credentials: world.anonymous,
      resume: false,
      ...options,
    });
    await connection.close();
    return 'trusted';
  } catch (error) {
    return String((error as { reason?: string }).reason ?? (error as { code?: string }).code);
  }
}

describe('the identity of a server', () => {
  it('is the requested name, another expected name, or any by a dangerous option', async () => {
    await using server = await stockServer(bare(world.server));
    const rows: [Partial<ConnectOptions>, string][] = [
      [{}, 'trusted'],
      [{ servername: '' }, 'trusted'],
      [{ expectedName: '::1' }, 'trusted'],
      [{ servername: 'other.test' }, 'wrong-name'],
      [{ servername: 'other.test', expectedName: 'LOCALHOST.' }, 'trusted'],
      [{ expectedName: 'other.test' }, 'wrong-name'],
      [{ expectedName: '' }, 'KNSOCK_INVALID_OPTION'],
      [{ servername: 'other.test', expectedName: { dangerouslyAnyName: true } }, 'trusted'],
    ];
    for (const [options, expected] of rows)
      expect([options, await judge(server.port, options)]).toEqual([options, expected]);
  });

  it('is pinned by any key of its path, in addition to the chain', async () => {
    await using server = await stockServer(bare(world.server));
    const own = world.server.certificate?.spkiPin as string;
    const root = createCredentials({ ca: world.authority.root }).anchors?.[0]?.spkiPin as string;
    const other = world.client.certificate?.spkiPin as string;
    expect(await judge(server.port, { pins: [own] })).toBe('trusted');
    expect(await judge(server.port, { pins: [other, root] })).toBe('trusted');
    expect(await judge(server.port, { pins: [other] })).toBe('pin-mismatch');
    const { anonymous } = await createWorld('Other CA');
    expect(await judge(server.port, { pins: [own], credentials: anonymous })).toBe('unknown-issuer');
  });

  it('is its own key and nothing else, where only pins count', async () => {
    const { certificate, key } = await createSelfSigned({ names: ['elsewhere.test'] });
    await using server = await stockServer({ cert: certificate, key });
    const pin = createCredentials({ cert: certificate, key }).certificate?.spkiPin as string;
    const credentials = createCredentials({});
    expect(await judge(server.port, { credentials, pinsOnly: true, pins: [pin] })).toBe('trusted');
    const root = world.client.certificate?.spkiPin as string;
    expect(await judge(server.port, { credentials, pinsOnly: true, pins: [root] })).toBe('pin-mismatch');
    expect(await judge(server.port, { credentials, pins: [pin] })).not.toBe('trusted');
  });

  it('is certified by an intermediate without its root, by choice', async () => {
    const intermediate = await world.authority.intermediate({ commonName: 'Intermediate', days: 20 });
    const { chain, key } = await intermediate.issue({ kind: 'server', names: ['localhost'], days: 7 });
    await using server = await stockServer({ cert: chain, key });
    const credentials = createCredentials({ ca: intermediate.certificate });
    expect(await judge(server.port, { credentials })).toBe('unknown-issuer');
    expect(await judge(server.port, { credentials, partialChain: true })).toBe('trusted');
    expect(await judge(server.port, { credentials })).toBe('unknown-issuer');
  });
});

describe("Node's default store", () => {
  it('holds none of our own CAs', async () => {
    await using server = await stockServer(bare(world.server));
    expect(await judge(server.port, { credentials: createCredentials({}) })).toBe('unknown-issuer');
  });

  // Servers leave the root out, as they should; a stray certificate at the end must not be taken for one.
  it.each([
    ['the chain without its root', () => ''],
    ['the chain and its root', () => world.authority.root],
    ['a stray certificate behind the chain', () => stray],
  ])('trusts what NODE_EXTRA_CA_CERTS adds: %s, resumed too', async (_words, extra) => {
    const below = await world.authority.intermediate({ commonName: 'Below', days: 20 });
    const { chain, key } = await below.issue({ kind: 'server', names: ['localhost'], days: 7 });
    await using server = await stockServer({ cert: chain + extra(), key });
    expect(await inProcessTrusting(world.authority.root, server.port)).toBe(
      'CN=Test CA false\nCN=Test CA true\nwrong-name\n',
    );
  });
});

let stray: string;
beforeAll(async () => {
  stray = (await createWorld('Stray CA')).authority.root;
});

const program = `
import { connect, raw } from '@knsock/core';
const options = { host: '127.0.0.1', port: Number(process.argv[2]), servername: 'localhost', framing: raw() };
for (let round = 0; round < 2; round += 1) {
  const connection = await connect(options);
  console.log(connection.peer.path.at(-1).subject.toString(), connection.tls.resumed);
  while ((await connection.receive()) !== null);
  await connection.close();
}
await connect({ ...options, expectedName: 'other.test' }).catch((error) => console.log(error.reason));
`;

/** The default store is read once per process, so this starts its own. */
async function inProcessTrusting(root: string, port: number): Promise<string> {
  // Inside tests/, so that the program finds the packages by their names.
  const shelf = path.join(workspace, 'tests', '.tmp');
  mkdirSync(shelf, { recursive: true });
  const folder = mkdtempSync(path.join(shelf, 'store-'));
  const file = path.join(folder, 'program.mts');
  try {
    writeFileSync(path.join(folder, 'root.pem'), root);
    writeFileSync(file, program);
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: path.join(folder, 'root.pem') };
    const args = ['-C', '@knsock/source', '--import', tsx, file, String(port)];
    return await new Promise((resolve) => {
      execFile(process.execPath, args, { env, timeout: 20_000 }, (_error, stdout, stderr) => {
        resolve(stdout + stderr);
      });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
