import type { Socket } from 'node:net';
import { connect, loadCredentials, type Credentials } from '@knsock/core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { bareSocket } from '../support/bare-socket.js';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { clientHello } from '../support/client-hello.js';
import { ServerProcess } from './program.js';
import { sizes } from './sizes.js';

let folder: CertificateFolder;
let credentials: Credentials;
beforeAll(async () => {
  folder = await createCertificateFolder();
  credentials = await loadCredentials({ caFile: folder.at('ca.crt') });
});
afterAll(() => folder[Symbol.asyncDispose]());

async function ask(port: number): Promise<string> {
  await using client = await connect({ host: 'localhost', port, credentials });
  return String(await client.request('hello'));
}

async function stall(port: number, words: Buffer): Promise<Socket[]> {
  const sockets = [];
  for (let n = 0; n < sizes.stalledHandshakes; n++) {
    const socket = await bareSocket(port);
    socket.write(words);
    socket.resume();
    sockets.push(socket);
  }
  return sockets;
}

it('serves good clients beside handshakes that stall at their beginning, and in the middle', async () => {
  const many = 2 * sizes.stalledHandshakes;
  const limits = { handshakeTimeout: 60_000, maxPendingHandshakes: many };
  await using server = await ServerProcess.start(folder.path, limits);
  const hello = await clientHello('localhost');
  const silent = await stall(server.port, Buffer.alloc(0));
  expect(await ask(server.port)).toBe('hello');
  const stalled = await stall(server.port, hello);
  await vi.waitFor(
    async () => {
      expect((await server.report()).stats['pendingHandshakes']).toBe(many);
    },
    { timeout: 20_000, interval: 200 },
  );
  // Now there are as many as may be: a silent one makes room for the good client.
  for (let n = 0; n < 5; n++) expect(await ask(server.port)).toBe('hello');
  const { stats } = await server.report();
  expect(stats).toMatchObject({
    admitted: 6,
    pendingHandshakes: many - 1,
    refusedSockets: { handshakes: 1 },
  });
  for (const socket of [...silent, ...stalled]) socket.destroy();
});

it('forgets stalled handshakes at their deadline', async () => {
  await using server = await ServerProcess.start(folder.path, { handshakeTimeout: 1_000 });
  const before = await server.report();
  await stall(server.port, await clientHello('localhost'));
  await vi.waitFor(
    async () => {
      expect(await server.report()).toMatchObject({
        stats: { pendingHandshakes: 0, failedHandshakes: sizes.stalledHandshakes },
        descriptors: before.descriptors,
      });
    },
    { timeout: 20_000, interval: 200 },
  );
});
