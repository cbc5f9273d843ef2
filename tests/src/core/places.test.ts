import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { connect, createCredentials, listen, raw, serve } from '@knsock/core';
import { toPem } from '@knsock/core/x509';
import { beforeAll, describe, expect, it } from 'vitest';
import { stockServer } from '../support/raw-tls.js';
import { createWorld, portOf, type World } from '../support/world.js';
import { extendedKeyUsage, issue, issueCa } from '../x509/issue.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

describe('where to listen and connect', () => {
  it.skipIf(!hasIpv6)('is an IPv6 address, and :: takes IPv4 too', async () => {
    await using server = await serve({ port: 0, credentials: world.server }, ({ payload }) => payload);
    for (const host of ['::1', '127.0.0.1', 'localhost']) {
      await using client = await connect({ host, port: portOf(server), credentials: world.anonymous });
      expect(String(await client.request(host))).toBe(host);
      if (host !== 'localhost') expect(client.remote?.address).toBe(host);
    }
  });

  it('is a Unix socket, whose file is removed afterwards', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'knsock-'));
    try {
      const place = path.join(folder, 'service');
      const server = await serve({ path: place, credentials: world.server }, ({ payload }) => payload);
      expect(server.address).toEqual({ path: place });
      const client = await connect({ path: place, expectedName: 'localhost', credentials: world.anonymous });
      expect(String(await client.request('hello'))).toBe('hello');
      expect(client.remote).toBe(null);
      await client.close();
      await server.close();
      await expect(
        connect({ path: place, expectedName: 'localhost', credentials: world.anonymous }),
      ).rejects.toMatchObject({ retryable: true });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is never a path that the system would truncate', async () => {
    const place = path.join(tmpdir(), 'x'.repeat(120));
    const tooLong = {
      code: 'KNSOCK_INVALID_OPTION',
      message: expect.stringMatching(/^path has \d+ bytes/) as string,
    };
    await expect(serve({ path: place, credentials: world.server }, () => '')).rejects.toMatchObject(tooLong);
    const asked = connect({ path: place, expectedName: 'localhost', credentials: world.anonymous });
    await expect(asked).rejects.toMatchObject(tooLong);
  });

  it.skipIf(process.platform === 'win32')("is not mistaken for a killed server's file", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'knsock-'));
    try {
      const place = path.join(folder, 'service');
      await leaveBehind(place);
      await expect(serve({ path: place, credentials: world.server }, () => '')).rejects.toMatchObject({
        code: 'KNSOCK_PORT_IN_USE',
        hint: expect.stringMatching(/^Delete the file, and start again/) as string,
      });
      const to = (name: string) =>
        connect({ path: path.join(folder, name), expectedName: 'localhost', credentials: world.anonymous });
      await expect(to('service')).rejects.toMatchObject({ hint: expect.stringMatching(/killed/) as string });
      await expect(to('nothing')).rejects.toMatchObject({ hint: expect.stringMatching(/path/) as string });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is named in the usual notation where it is in use', async () => {
    await using server = await serve({ port: 0, host: '::1', credentials: world.server }, () => '');
    const { port } = server.address as { port: number };
    await expect(serve({ port, host: '::1', credentials: world.server }, () => '')).rejects.toMatchObject({
      code: 'KNSOCK_PORT_IN_USE',
      message: `[::1]:${port} is in use already`,
    });
  });

  it('is still known when the server is closed', async () => {
    const server = await serve({ port: 0, host: '127.0.0.1', credentials: world.server }, () => '');
    const { address } = server;
    await server.close();
    expect(server.address).toEqual(address);
  });

  it('is an already connected socket, or any stream', async () => {
    await using server = await serve(
      { port: 0, host: '127.0.0.1', credentials: world.server },
      ({ payload }) => payload,
    );
    const plain = connectTcp(portOf(server), '127.0.0.1');
    await once(plain, 'connect');
    await using over = await connect({
      socket: plain,
      expectedName: 'localhost',
      credentials: world.anonymous,
    });
    expect(String(await over.request('a socket'))).toBe('a socket');
    await using through = await connect({
      socket: wrapped(connectTcp(portOf(server), '127.0.0.1')),
      expectedName: 'localhost',
      credentials: world.anonymous,
    });
    expect(String(await through.request('a stream'))).toBe('a stream');
  });
});

describe('whose certificate is expected', () => {
  it.each([
    ['a wildcard of one label', ['*.apps.test'], 'one.apps.test', true],
    ['a wildcard for two labels', ['*.apps.test'], 'one.two.apps.test', false],
    ['a wildcard for no label', ['*.apps.test'], 'apps.test', false],
    ['an internationalised name', ['bücher.test'], 'bücher.test', true],
    ['an internationalised name in its ASCII form', ['bücher.test'], 'xn--bcher-kva.test', true],
    ['another case', ['Apps.Test'], 'aPPS.tEST', true],
    ['a trailing dot', ['apps.test'], 'apps.test.', true],
    ['an address among names alone', ['localhost'], '127.0.0.1', false],
    ['another address', ['127.0.0.2'], '127.0.0.1', false],
  ])('is checked strictly: %s', async (_, names, expectedName, ok) => {
    const { chain, key } = await world.authority.issue({ kind: 'server', names, days: 1 });
    await using server = await listen(
      { port: 0, host: '127.0.0.1', credentials: createCredentials({ cert: chain, key }) },
      () => undefined,
    );
    const attempt = connect({
      host: '127.0.0.1',
      port: portOf(server),
      expectedName,
      credentials: world.anonymous,
    });
    if (ok) await (await attempt).close();
    else await expect(attempt).rejects.toMatchObject({ code: 'KNSOCK_PEER_WRONG_NAME' });
  });

  it('is never the common name', async () => {
    const { chain, key } = await world.authority.issue({
      kind: 'server',
      names: ['other.test'],
      commonName: 'localhost',
      days: 1,
    });
    await using server = await listen(
      { port: 0, host: '127.0.0.1', credentials: createCredentials({ cert: chain, key }) },
      () => undefined,
    );
    await expect(
      connect({ host: 'localhost', port: portOf(server), credentials: world.anonymous }),
    ).rejects.toMatchObject({ code: 'KNSOCK_PEER_WRONG_NAME' });
  });

  it('is never the common name of a certificate without other names', async () => {
    const dates = {
      notBefore: new Date(Date.now() - 86_400_000),
      notAfter: new Date(Date.now() + 86_400_000),
    };
    const ca = issueCa({ subject: 'CN=CA', ...dates });
    const made = issue({
      subject: 'CN=localhost',
      issuer: ca,
      extensions: [extendedKeyUsage('server')],
      ...dates,
    });
    const cert = toPem('CERTIFICATE', made.der);
    const key = made.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    await using server = await stockServer({ cert, key }, () => '');
    const credentials = createCredentials({ ca: toPem('CERTIFICATE', ca.der) });
    await expect(
      connect({ host: 'localhost', port: server.port, credentials, framing: raw() }),
    ).rejects.toMatchObject({ code: 'KNSOCK_PEER_WRONG_NAME' });
  });
});

/** The file of a Unix socket whose server was killed. */
async function leaveBehind(place: string): Promise<void> {
  const listening = `require('node:net').createServer().listen(process.argv[1], () => console.log('here'))`;
  const child = spawn(process.execPath, ['-e', listening, place], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** A stream that isn't a socket. */
function wrapped(socket: ReturnType<typeof connectTcp>): Duplex {
  const stream = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => socket.write(chunk, () => done()),
    final: (done) => socket.end(() => done()),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) socket.pause();
  });
  socket.on('end', () => stream.push(null));
  socket.on('error', (error) => stream.destroy(error));
  return stream;
}
