/** kn-sock's pool against a Python server as its users write them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAuthority } from '@knsock/certs';
import { TCPConnectionPool, type BorrowedChannel, type TCPConnectionPoolOptions } from '@knsock/pool/kn-sock';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { needsTools } from './tools.js';

const script = fileURLToPath(new URL('kn_sock_server.py', import.meta.url));
const files = { cafile: '', certfile: '', keyfile: '', clientCert: '', clientKey: '' };
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'knsock-pool-'));
  const authority = await createAuthority({ commonName: 'Test CA', days: 30 });
  const server = await authority.issue({ kind: 'server', names: ['127.0.0.1'], days: 7 });
  const client = await authority.issue({ kind: 'client', names: ['app.example'], days: 7 });
  const texts = [authority.root, server.chain, server.key, client.chain, client.key];
  for (const [index, name] of (Object.keys(files) as (keyof typeof files)[]).entries()) {
    files[name] = path.join(folder, `${name}.pem`);
    writeFileSync(files[name], texts[index] ?? '', { mode: 0o600 });
  }
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function withServer(
  args: string[],
  options: TCPConnectionPoolOptions,
  fn: (pool: TCPConnectionPool) => Promise<void>,
): Promise<void> {
  const command = [script, ...args, files.certfile, files.keyfile, files.cafile];
  const child = spawn('python3', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    await using pool = new TCPConnectionPool('127.0.0.1', Number(line.toString()), options);
    await fn(pool);
  } finally {
    child.kill();
  }
}

async function ask(connection: BorrowedChannel, text: string): Promise<string> {
  await connection.sendall(text);
  let reply = '';
  while (reply.length < text.length) {
    const piece = await connection.recv(1_024);
    if (piece.length === 0) break;
    reply += piece.toString();
  }
  return reply;
}

it.for(['tls', 'mutual', 'plain'])(
  '%s: sends, receives and uses the connection again',
  async (kind, context) => {
    needsTools(context, 'python3');
    const pair = kind === 'mutual' ? { certfile: files.clientCert, keyfile: files.clientKey } : {};
    const options = { ssl: kind !== 'plain', cafile: files.cafile, ...pair };
    await withServer([kind, 'loop'], options, async (pool) => {
      for (let turn = 0; turn < 3; turn += 1)
        expect(await pool.connection((connection) => ask(connection, `hello ${turn}`))).toBe(`hello ${turn}`);
      expect(pool.stats()).toMatchObject({ created: 1, idle: 1 });
    });
  },
);

it.for(['tls', 'plain'])(
  '%s: a server that ends each connection after its answer costs no answer',
  async (kind, context) => {
    needsTools(context, 'python3');
    await withServer([kind, 'once'], { ssl: kind === 'tls', cafile: files.cafile }, async (pool) => {
      for (let turn = 0; turn < 5; turn += 1) {
        const reply = await pool.connection(async (connection) => {
          const answer = await ask(connection, `hello ${turn}`);
          expect(await connection.recv()).toHaveLength(0);
          return answer;
        });
        expect(reply).toBe(`hello ${turn}`);
      }
      expect(pool.stats()).toMatchObject({ created: 5, idle: 0 });
    });
  },
);

it('more callers than maxSize share what there is', async (context) => {
  needsTools(context, 'python3');
  await withServer(['tls', 'loop'], { cafile: files.cafile, maxSize: 3 }, async (pool) => {
    const texts = Array.from({ length: 30 }, (_, n) => `caller ${n}`);
    const replies = await Promise.all(
      texts.map((text) => pool.connection((connection) => ask(connection, text))),
    );
    expect(replies).toEqual(texts);
    expect(pool.stats().created).toBe(3);
  });
});

it("a server that can't prove who it is gets no connection, unless verify is off", async (context) => {
  needsTools(context, 'python3');
  await withServer(['tls', 'loop'], {}, async (pool) => {
    await expect(pool.connection({ timeout: 1_000 })).rejects.toMatchObject({
      code: expect.stringMatching(/^KNSOCK_PEER_/) as string,
    });
  });
  await withServer(['tls', 'loop'], { verify: false }, async (pool) => {
    expect(await pool.connection((connection) => ask(connection, 'hello'))).toBe('hello');
  });
});
