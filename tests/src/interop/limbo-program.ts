/**
 * Judges cases of x509-limbo through real handshakes, by our client or server and by stock Node; ids as arguments. It is
 * a program of its own, so that its clock can be another than the machine's.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import * as tls from 'node:tls';
import { createSelfSigned } from '@knsock/certs';
import { connect, createCredentials, crlRevocation, lines, listen } from '@knsock/core';
import { judgeCase, limboCases, type LimboCase } from '../x509/limbo.js';

export interface LimboOutcome {
  readonly id: string;
  /** Each: whether the peer was accepted; null where the handshake can't be made, for want of a usable key. */
  readonly ours: boolean | null;
  readonly stock: boolean | null;
  readonly verifyPath: boolean;
  /** Why ours refused. */
  readonly reason: string;
}

/** Several names have to match, each in a handshake of its own. */
function namesOf({ expected_peer_name: one, expected_peer_names: several }: LimboCase): (string | null)[] {
  const names = [one, ...several].flatMap((name) => (name ? [name.value] : []));
  return names.length > 0 ? names : [null];
}

async function judgeServer(
  limbo: LimboCase,
  key: string,
): Promise<Pick<LimboOutcome, 'ours' | 'stock' | 'reason'>> {
  const server = stockServer(limbo, key);
  if (server === null) return { ours: null, stock: null, reason: 'no stock server takes it' };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let [ours, stock, reason] = [true, true, ''];
  for (const name of namesOf(limbo)) {
    const failed = await ourClient(limbo, port, name);
    if (failed !== null) [ours, reason] = [false, failed];
    if (!(await stockClient(limbo, port, name))) stock = false;
  }
  server.close();
  return { ours, stock, reason };
}

function stockServer(limbo: LimboCase, key: string): tls.Server | null {
  try {
    const cert = [limbo.peer_certificate, ...limbo.untrusted_intermediates].join('\n');
    const server = tls.createServer({ cert, key }, (socket) => {
      socket.on('error', () => undefined).resume();
    });
    return server.on('tlsClientError', (_error, socket) => socket.destroy());
  } catch {
    return null;
  }
}

/** Null where it accepts the server. */
async function ourClient(limbo: LimboCase, port: number, name: string | null): Promise<string | null> {
  try {
    const connection = await connect({
      host: '127.0.0.1',
      port,
      framing: lines(),
      resume: false,
      servername: '',
      credentials: createCredentials({ ca: limbo.trusted_certs }),
      expectedName: name ?? { dangerouslyAnyName: true },
      ...(limbo.crls.length > 0 && { revocation: crlRevocation({ crls: limbo.crls, depth: 'chain' }) }),
    });
    await connection.close();
    return null;
  } catch (error) {
    return String(error);
  }
}

async function stockClient(limbo: LimboCase, port: number, name: string | null): Promise<boolean> {
  try {
    const socket = tls.connect({
      host: '127.0.0.1',
      port,
      ca: [...limbo.trusted_certs],
      ...(limbo.crls.length > 0 && { crl: [...limbo.crls] }),
      checkServerIdentity: (_host, certificate) =>
        name === null ? undefined : tls.checkServerIdentity(name, certificate),
    });
    const accepted = await settled(socket);
    socket.destroy();
    return accepted;
  } catch {
    return false;
  }
}

function settled(socket: tls.TLSSocket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('secureConnect', () => {
      resolve(socket.authorized);
    });
    socket.on('error', () => {
      resolve(false);
    });
    socket.once('close', () => {
      resolve(false);
    });
  });
}

async function admitClient(
  limbo: LimboCase,
  key: string,
): Promise<Pick<LimboOutcome, 'ours' | 'stock' | 'reason'>> {
  const own = await createSelfSigned({ names: ['localhost'] });
  const client = { cert: [limbo.peer_certificate, ...limbo.untrusted_intermediates].join('\n'), key };
  const ca = [...limbo.trusted_certs];
  const stock = tls.createServer({ cert: own.certificate, key: own.key, ca, requestCert: true }, (socket) =>
    socket.end('in\n'),
  );
  stock.on('tlsClientError', (_error, socket) => socket.destroy());
  stock.listen(0, '127.0.0.1');
  await once(stock, 'listening');
  const ours = await listen(
    {
      port: 0,
      host: '127.0.0.1',
      framing: lines(),
      credentials: createCredentials({ cert: own.certificate, key: own.key, ca }),
      clientCertificates: 'require',
    },
    (connection) => {
      connection.write('in');
      void connection.close();
    },
  );
  const outcome = {
    ours: await isLetIn((ours.address as { port: number }).port, client),
    stock: await isLetIn((stock.address() as AddressInfo).port, client),
    reason: '',
  };
  stock.close();
  await ours.close();
  return outcome;
}

/** Null where the client can't show its certificate at all. */
async function isLetIn(port: number, client: { cert: string; key: string }): Promise<boolean | null> {
  let socket: tls.TLSSocket;
  try {
    socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...client });
  } catch {
    return null;
  }
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('close', resolve));
  return received === 'in\n';
}

async function main(ids: ReadonlySet<string>): Promise<void> {
  const outcomes: LimboOutcome[] = [];
  for (const limbo of limboCases()) {
    const key = limbo.peer_certificate_key;
    if (!ids.has(limbo.id) || key === null) continue;
    const judged =
      limbo.validation_kind === 'SERVER' ? await judgeServer(limbo, key) : await admitClient(limbo, key);
    // Neither connect nor listen lets a program shorten chains further, so that option of the exam is left out.
    const { ok } = judgeCase({ ...limbo, max_chain_depth: null }, 'private');
    outcomes.push({ id: limbo.id, ...judged, verifyPath: ok });
  }
  console.log(JSON.stringify(outcomes));
}

await main(new Set(process.argv.slice(2)));
