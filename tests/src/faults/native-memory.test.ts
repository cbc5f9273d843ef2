/**
 * Handshakes leave no native memory behind. Heaps don't show it: the certificates that Node's `getPeerX509Certificate`
 * takes out of a chain are never freed on Node 20 and 22, some 5 KB a handshake.
 */
import { connect as tlsConnect, createSecureContext, type SecureContext } from 'node:tls';
import { createCredentials, serve, type Credentials } from '@knsock/core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { welcome } from '../support/hand-made-peer.js';
import { portOf } from '../support/world.js';
import type { ProcessState } from './process-state.js';
import { hearFrom, ServerProcess, startProgram } from './program.js';
import { sizes } from './sizes.js';

/** Allocators settle and caches fill meanwhile. */
const WARM_UP = 2 * sizes.handshakes;
const AT_ONCE = 10;
/** What allocators keep, however many come, and what each may leave: a leaked chain of two takes 5,000 bytes. */
const MOST_BYTES = 4_500_000 + 1_000 * sizes.handshakes;

let folder: CertificateFolder;
let context: SecureContext;
let server: Credentials;
beforeAll(async () => {
  folder = await createCertificateFolder();
  const intermediate = await folder.authority.intermediate({ commonName: 'Intermediate CA', days: 20 });
  const { chain, key } = await intermediate.issue({ kind: 'client', commonName: 'app', days: 7 });
  const own = await intermediate.issue({ kind: 'server', names: ['localhost'], days: 7 });
  const ca = folder.authority.root;
  context = createSecureContext({ ca, cert: chain, key });
  server = createCredentials({ cert: own.chain, key: own.key });
});
afterAll(() => folder[Symbol.asyncDispose]());

async function times(count: number, visit: () => Promise<unknown>): Promise<void> {
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun++ < count) await visit();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Bytes that the later visits leave behind. */
async function growth(visit: () => Promise<unknown>, resident: () => Promise<number>): Promise<number> {
  await times(WARM_UP, visit);
  const before = await resident();
  await times(sizes.handshakes, visit);
  return (await resident()) - before;
}

it(`keeps none of a client's chain at a server, in ${sizes.handshakes} handshakes`, async () => {
  await using process = await ServerProcess.start(folder.path, { clientCertificates: 'require' });
  let visits = 0;
  const visit = (): Promise<void> => {
    visits += 1;
    return new Promise((resolve, reject) => {
      const socket = tlsConnect({
        port: process.port,
        host: '127.0.0.1',
        secureContext: context,
        servername: 'localhost',
        ALPNProtocols: ['knsock/1'],
      });
      socket.write(welcome);
      socket.once('data', () => socket.end());
      socket.once('error', reject).once('close', () => resolve());
    });
  };
  const resident = (): Promise<number> =>
    vi.waitFor(async () => {
      const { stats, residentBytes } = await process.report();
      expect(stats).toMatchObject({ admitted: visits, connections: 0 });
      return residentBytes;
    }, 20_000);
  expect(await growth(visit, resident)).toBeLessThan(MOST_BYTES);
}, 300_000);

it(`keeps none of a server's chain at a client, in ${sizes.handshakes} handshakes`, async () => {
  await using own = await serve(
    { port: 0, host: '127.0.0.1', credentials: server },
    ({ payload }) => payload,
  );
  const client = startProgram('connecting', [folder.path, String(portOf(own))]);
  await hearFrom(client);
  const after = async (count: number): Promise<number> => {
    client.send(count);
    return (await hearFrom<ProcessState>(client)).residentBytes;
  };
  const before = await after(WARM_UP);
  const grown = (await after(sizes.handshakes)) - before;
  client.kill('SIGKILL');
  expect(grown).toBeLessThan(MOST_BYTES);
}, 300_000);
