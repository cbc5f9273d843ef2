import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { createAuthority } from '@knsock/certs';
import { createCredentials, listen, raw } from '@knsock/core';
import { TCPConnectionPool } from '@knsock/pool/kn-sock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portOf } from '../support/world.js';

let folder: string;
let cafile: string;
let certfile: string;
let keyfile: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'knsock-pool-'));
  const authority = await createAuthority({ commonName: 'Test CA', days: 30 });
  const server = await authority.issue({ kind: 'server', names: ['localhost', '127.0.0.1'], days: 7 });
  cafile = file('ca.pem', authority.root);
  certfile = file('server.pem', server.chain);
  keyfile = file('server.key', server.key);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  const full = path.join(folder, name);
  writeFileSync(full, text, { mode: 0o600 });
  return full;
}

async function receiveAll(
  connection: { recv(max?: number): Promise<Buffer> },
  bytes: number,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let left = bytes; left > 0;) {
    const piece = await connection.recv(left);
    if (piece.length === 0) break;
    pieces.push(piece);
    left -= piece.length;
  }
  return Buffer.concat(pieces);
}

describe('against our own server', () => {
  it('a scope releases what it borrowed, and a megabyte comes back whole', async () => {
    const credentials = createCredentials({
      cert: await read(certfile),
      key: await read(keyfile),
    });
    await using server = await listen(
      { port: 0, host: '127.0.0.1', credentials, framing: raw() },
      async (connection) => {
        for await (const piece of connection) await connection.send(piece);
      },
    );
    await using pool = new TCPConnectionPool('localhost', portOf(server), { cafile });
    const sent = Buffer.alloc(1_048_576, 'knsock');
    {
      await using connection = await pool.connection();
      const [received] = await Promise.all([receiveAll(connection, sent.length), connection.sendall(sent)]);
      expect(received.equals(sent)).toBe(true);
    }
    expect(pool.stats()).toMatchObject({ active: 0, idle: 1 });
  });
});

describe('over plain TCP', () => {
  it('a connection with unread bytes, or used by a function that threw, is not used again', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const pool = new TCPConnectionPool('127.0.0.1', port, { ssl: false });
    await pool.connection(async (connection) => {
      await connection.sendall('abc');
      expect((await connection.recv(1)).toString()).toBe('a');
    });
    expect(pool.stats()).toMatchObject({ idle: 0, destroyed: 1 });
    await expect(pool.connection(() => Promise.reject(new Error('oops')))).rejects.toThrow('oops');
    expect(pool.stats()).toMatchObject({ idle: 0, destroyed: 2 });
    await pool.closeAll();
    server.close();
  });

  it("recv is empty at the peer's end, and a dead connection is not lent", async () => {
    const server = createServer((socket) => socket.end('bye')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const pool = new TCPConnectionPool('127.0.0.1', port, { ssl: false });
    const connection = await pool.connection();
    expect((await connection.recv()).toString()).toBe('bye');
    expect(await connection.recv()).toHaveLength(0);
    connection.release();
    expect(pool.stats()).toMatchObject({ idle: 0, destroyed: 1 });
    expect(() => connection.release()).toThrow(expect.objectContaining({ code: 'KNSOCK_LEASE_RELEASED' }));
    await pool.closeAll();
    server.close();
  });
});

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a server that demands a certificate says so to callers: %s',
  async (version) => {
    const server = createTlsServer({
      cert: await read(certfile),
      key: await read(keyfile),
      ca: await read(cafile),
      requestCert: true,
      maxVersion: version,
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await using pool = new TCPConnectionPool('localhost', port, { cafile, onError: () => undefined });
    const asking = pool.connection(async (connection) => {
      await connection.sendall('hi');
      return connection.recv();
    });
    await expect(asking).rejects.toMatchObject({
      code: 'KNSOCK_CLIENT_CERTIFICATE_REFUSED',
      reason: 'no-certificate',
      message: expect.stringContaining('requires a client certificate and we sent none') as string,
    });
    server.close();
  },
);

it('an idleTimeout in seconds is refused with the reason', () => {
  expect(() => new TCPConnectionPool('localhost', 1, { idleTimeout: 30 })).toThrow(/seconds/);
});

async function read(name: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return readFile(name, 'utf8');
}
