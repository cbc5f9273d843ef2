import { createCredentials, connect, listen, watchCredentials, type Credentials } from '@knsock/core';
import { ConnectionPool } from '@knsock/pool';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
let secrets: string[];
let credentials: Credentials;
let pem: { cert: string; key: string };

beforeAll(async () => {
  world = await createWorld();
  const issued = await world.authority.issue({ kind: 'server', names: ['localhost', '127.0.0.1'], days: 1 });
  pem = { cert: issued.chain, key: issued.key };
  credentials = createCredentials({ ...pem, ca: world.authority.root });
  // The PEM as it stands, its base64 alone, and the bytes of the private number as hex.
  const body = issued.key.replaceAll(/-----.*?-----|\s/g, '');
  secrets = ['PRIVATE KEY', body.slice(40, 80), Buffer.from(body, 'base64').toString('hex').slice(60, 100)];
});

const everyWay = (value: unknown): string[] => [
  inspect(value),
  inspect(value, { depth: Infinity, maxArrayLength: 20 }),
  inspect(value, { depth: 12, showHidden: true, maxArrayLength: 20 }),
  inspect(value, { depth: 8, getters: true, maxArrayLength: 20 }),
  json(value),
  String(value),
];

function json(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    // Sockets refer to themselves.
    return '';
  }
}

const expectNoKey = (value: unknown): void => {
  for (const text of everyWay(value)) {
    for (const secret of secrets) expect(text.includes(secret)).toBe(false);
  }
};

describe("a private key isn't shown by", () => {
  it('credentials, what node:tls is given, or options that hold them', () => {
    expectNoKey(credentials);
    expectNoKey(credentials.material);
    expectNoKey({ port: 8443, credentials });
    expectNoKey({ options: [{ sni: { 'a.example': { credentials } } }] });
    expect(createCredentials({ ...credentials.material }).version).toBe(createCredentials(pem).version);
    expect({ ...credentials.material }).toEqual(pem);
  });

  it('credentials, which show their subject instead', () => {
    expect(inspect(credentials)).toMatch(/^Credentials \{[^]*localhost[^]*expiresAt/);
    expect(JSON.parse(JSON.stringify(credentials))).toMatchObject({ anchors: 1, chain: 1, warnings: [] });
  });

  it('watched files', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'knsock-'));
    await writeFile(path.join(folder, 'key'), pem.key);
    await writeFile(path.join(folder, 'crt'), pem.cert);
    const files = { certFile: path.join(folder, 'crt'), keyFile: path.join(folder, 'key') };
    using watched = await watchCredentials(files);
    expectNoKey(watched);
  });

  it('a server, its connections and their sockets, a client, a pool', async () => {
    await using server = await listen(
      { port: 0, host: '127.0.0.1', credentials, clientCertificates: 'request' },
      () => undefined,
    );
    const port = portOf(server);
    await using client = await connect({ host: 'localhost', port, credentials: world.client });
    await using pool = new ConnectionPool({
      endpoints: [{ host: 'localhost', port }],
      credentials: world.client,
    });
    await pool.ready();
    await vi.waitFor(() => expect([...server.connections()]).toHaveLength(2));
    const theirs = [...server.connections()];
    expectNoKey(server);
    expectNoKey(pool);
    for (const connection of [client, ...theirs]) {
      expectNoKey(connection.tls);
      expectNoKey(connection.socket);
      expectNoKey(connection.peer);
    }
  });
});
