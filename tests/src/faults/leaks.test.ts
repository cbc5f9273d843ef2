/** Thousands of connections that come and go, well or badly, leave nothing behind. */
import { getEventListeners } from 'node:events';
import { connect, loadCredentials, type Credentials } from '@knsock/core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { bareSocket } from '../support/bare-socket.js';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { clientHello } from '../support/client-hello.js';
import { collectGarbage } from '../support/collect-garbage.js';
import { ServerProcess } from './program.js';
import type { ServerReport } from './server.program.js';
import { sizes } from './sizes.js';

/** What caches may take, whatever the rounds; a leak of a kilobyte a round is far over it at full size. */
const SLACK_BYTES = 1_500_000;
const WARM_UP = 200;
const AT_ONCE = 10;

let folder: CertificateFolder;
let credentials: Credentials;
beforeAll(async () => {
  folder = await createCertificateFolder();
  credentials = await loadCredentials({ caFile: folder.at('ca.crt') });
});
afterAll(() => folder[Symbol.asyncDispose]());

async function rounds(count: number, round: (n: number) => Promise<void>): Promise<void> {
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < count) await round(begun++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** The server's report once so many have come, and nobody is connected any more. */
async function atRest(server: ServerProcess, accepted: number): Promise<ServerReport> {
  return vi.waitFor(
    async () => {
      const report = await server.report();
      expect(report.stats).toMatchObject({ accepted, connections: 0, pendingHandshakes: 0 });
      return report;
    },
    { timeout: 20_000, interval: 200 },
  );
}

function expectNothingLeft(before: ServerReport, after: ServerReport): void {
  expect(after.descriptors).toBe(before.descriptors);
  expect(after.heapBytes - before.heapBytes).toBeLessThan(SLACK_BYTES);
}

it(`survives ${sizes.resets} clients that connect and reset, before and in the handshake`, async () => {
  await using server = await ServerProcess.start(folder.path);
  const hello = await clientHello('localhost');
  const visit = async (n: number): Promise<void> => {
    const socket = await bareSocket(server.port);
    if (n % 2 === 1) await new Promise((resolve) => socket.write(hello, resolve));
    socket.resetAndDestroy();
  };
  await rounds(WARM_UP, visit);
  const before = await atRest(server, WARM_UP);
  await rounds(sizes.resets, visit);
  expectNothingLeft(before, await atRest(server, WARM_UP + sizes.resets));
}, 300_000);

it(`makes and ends ${sizes.connections} connections, and neither side keeps anything`, async () => {
  await using server = await ServerProcess.start(folder.path);
  const { signal } = new AbortController();
  const visit = async (n: number): Promise<void> => {
    const options = { host: 'localhost', port: server.port, credentials, signal, resume: n % 2 === 0 };
    await using client = await connect(options);
    await client.request('hello', { signal });
  };
  await rounds(WARM_UP, visit);
  const before = await atRest(server, WARM_UP);
  const ours = ownState();
  await rounds(sizes.connections, visit);
  expectNothingLeft(before, await atRest(server, WARM_UP + sizes.connections));
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  const { heapBytes, sockets } = ownState();
  expect(sockets).toBe(ours.sockets);
  expect(heapBytes - ours.heapBytes).toBeLessThan(2 * SLACK_BYTES);
}, 300_000);

function ownState(): { heapBytes: number; sockets: number } {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  const sockets = process.getActiveResourcesInfo().filter((kind) => /TCP|TLS/.test(kind)).length;
  return { heapBytes: heapUsed + external, sockets };
}
