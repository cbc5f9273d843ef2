import { connect, loadCredentials, type SecureConnection } from '@knsock/core';
import { expect, it, vi } from 'vitest';
import { bareSocket } from '../support/bare-socket.js';
import { createCertificateFolder } from '../support/certificate-folder.js';
import { ServerProcess } from './program.js';

const DESCRIPTORS = 64;

it('lives with 64 descriptors: serves those who are in, turns others away, and recovers', async () => {
  await using folder = await createCertificateFolder();
  const credentials = await loadCredentials({ caFile: folder.at('ca.crt') });
  await using server = await ServerProcess.start(folder.path, {}, { descriptors: DESCRIPTORS });
  const join = () => connect({ host: 'localhost', port: server.port, credentials, resume: false });
  const clients: SecureConnection[] = [];
  for (;;) {
    const client = await join().catch(() => null);
    if (client === null) break;
    clients.push(client);
    expect(clients.length).toBeLessThan(DESCRIPTORS);
  }
  expect(clients.length).toBeGreaterThan(10);
  const full = await server.report();
  expect(full.stats).toMatchObject({ acceptErrors: 1, connections: clients.length });
  expect(full.stats.refusedSockets['descriptors']).toBeGreaterThan(0);

  // Many knock; nobody who is in notices, and waiting costs no processor time.
  for (let n = 0; n < 200; n++) await bareSocket(server.port);
  for (const client of clients) expect(String(await client.request('still'))).toBe('still');
  const busy = await server.report();
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const idle = await server.report();
  expect(idle.cpuMs - busy.cpuMs).toBeLessThan(1_000);

  await clients.pop()?.close();
  await clients.pop()?.close();
  await clients.pop()?.close();
  const next = await vi.waitFor(join, { timeout: 20_000 });
  expect(String(await next.request('in'))).toBe('in');
  for (const client of [next, ...clients]) await client.close();
});

it('lets silent sockets go first when descriptors run out', async () => {
  await using folder = await createCertificateFolder();
  const credentials = await loadCredentials({ caFile: folder.at('ca.crt') });
  const options = { handshakeTimeout: 60_000 };
  await using server = await ServerProcess.start(folder.path, options, { descriptors: DESCRIPTORS });
  const silent = [];
  for (let n = 0; n < 2 * DESCRIPTORS; n++) silent.push(await bareSocket(server.port));
  await using client = await connect({ host: 'localhost', port: server.port, credentials });
  expect(String(await client.request('hello'))).toBe('hello');
  const { stats } = await server.report();
  expect(stats.refusedSockets['descriptors']).toBeGreaterThan(DESCRIPTORS);
  for (const socket of silent) socket.destroy();
});
