/**
 * The name that our server reads is the one that OpenSSL uses, for any first bytes of a client, and a validation of an
 * ACME server is one for both. `KNSOCK_HELLOS=100000` tries that many hellos.
 */
import { once } from 'node:events';
import { connect as tcpConnect, type AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { agreedName } from '../../../packages/core/src/server/agreed-name.js';
import { ClientHelloReader } from '../../../packages/core/src/transport/client-hello.js';
import { changedHello } from '../support/changed-hellos.js';
import { clientHello } from '../support/client-hello.js';
import { bare, versions } from '../support/raw-tls.js';
import { createWorld } from '../support/world.js';

const HELLOS = Number(process.env['KNSOCK_HELLOS'] ?? 400);
const AT_ONCE = 20;

let openssl: Server;
let port: number;
/** The name that OpenSSL saw last on the connection of a client's port. */
const names = new Map<number | undefined, string>();
/** The protocols that it saw there. */
const offers = new Map<number | undefined, string[]>();

beforeAll(async () => {
  const { server } = await createWorld();
  const options = {
    ...bare(server),
    // Node reports the name of a first handshake here, and nowhere else before the handshake is done.
    SNICallback(this: { remotePort?: number }, name: string, done: (error: null) => void) {
      names.set(this.remotePort, name);
      done(null);
    },
    ALPNCallback(this: { remotePort?: number }, { protocols }: { protocols: string[] }) {
      offers.set(this.remotePort, protocols);
      return protocols[0];
    },
  };
  openssl = createServer(options);
  openssl.on('tlsClientError', (_error, socket) => socket.destroy());
  openssl.listen(0, '127.0.0.1');
  await once(openssl, 'listening');
  ({ port } = openssl.address() as AddressInfo);
});
afterAll(() => {
  openssl.close();
});

interface Read {
  /** Null for none. */
  readonly name: string | null;
  /** Whether `acme-tls/1` and nothing else is offered. */
  readonly isValidation: boolean;
}

/** What OpenSSL reads from the first bytes, where it answers with a ServerHello. */
async function byOpenssl(bytes: Buffer): Promise<Read | 'not taken'> {
  const socket = tcpConnect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const { localPort } = socket;
  const first = new Promise<number | undefined>((resolve) => {
    socket.once('data', (chunk) => resolve(chunk[0]));
    socket.once('close', () => resolve(undefined));
  });
  socket.end(bytes);
  const type = await first;
  socket.destroy();
  const name = names.get(localPort) ?? null;
  names.delete(localPort);
  const protocols = offers.get(localPort) ?? [];
  offers.delete(localPort);
  const isValidation = protocols.length === 1 && protocols[0] === 'acme-tls/1';
  return type === 22 ? { name, isValidation } : 'not taken';
}

/** What our server reads from them. */
function byUs(bytes: Buffer): Read | 'not taken' {
  const read = new ClientHelloReader().push(bytes);
  if (read.status === 'complete') return { name: read.servername, isValidation: read.isValidation };
  // It is left to OpenSSL, under no name.
  return read.status === 'other' ? { name: null, isValidation: false } : 'not taken';
}

it(`reads ${HELLOS} hellos as OpenSSL does, or refuses them`, { timeout: 3_600_000 }, async () => {
  const hellos = await Promise.all([
    ...versions.map((version) => clientHello('a.test', [], { minVersion: version, maxVersion: version })),
    clientHello('a.test', ['knsock/1']),
    clientHello('a.test', ['acme-tls/1', 'h2']),
    ...versions.map((version) =>
      clientHello('a.test', ['acme-tls/1'], { minVersion: version, maxVersion: version }),
    ),
    clientHello(''),
  ]);
  let taken = 0;
  let validations = 0;
  const property = fc.asyncProperty(
    fc.array(changedHello(hellos), { minLength: AT_ONCE, maxLength: AT_ONCE }),
    async (batch) => {
      const theirs = await Promise.all(batch.map(byOpenssl));
      for (const [at, bytes] of batch.entries()) {
        const ours = byUs(bytes);
        // What we refuse never reaches OpenSSL.
        const seen = theirs[at] ?? 'not taken';
        if (ours === 'not taken' || seen === 'not taken') continue;
        taken += 1;
        if (ours.isValidation) validations += 1;
        expect([ours.isValidation, bytes.toString('hex')]).toEqual([
          seen.isValidation,
          bytes.toString('hex'),
        ]);
        const told = { servername: seen.name, resumed: false, version: 'TLSv1.3' };
        expect(() => agreedName(ours.name, told, bytes.toString('hex'))).not.toThrow();
      }
    },
  );
  await fc.assert(property, { numRuns: Math.ceil(HELLOS / AT_ONCE) });
  // Enough of them must be valid, or nothing was tested.
  expect(taken).toBeGreaterThan(HELLOS / 10);
  expect(validations).toBeGreaterThan(HELLOS / 50);
});
