/** Chains of every section of PKITS, shown in real handshakes to our server and our client, beside verifyChain and openssl. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createSelfSigned, verifyChain } from '@knsock/certs';
import { connect, createCredentials, crlRevocation, lines } from '@knsock/core';
import { toPem } from '@knsock/core/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stockServer, versions, visit, type Version } from '../support/raw-tls.js';
import { portOf } from '../support/world.js';
import { ourServer } from '../trust/attacks/ours.js';
import type { Made } from '../x509/issue.js';
import type { LiveChain } from './live-chains.js';
import { listsCases } from './live-lists.js';
import { pathsCases } from './live-paths.js';
import { policiesCases } from './live-policies.js';

const liveCases = [...pathsCases, ...policiesCases, ...listsCases].map(([section, title, valid, make]) => ({
  section,
  title,
  valid,
  make,
}));

let own: { cert: string; key: string };
let folder: string;
beforeAll(async () => {
  const { certificate: cert, key } = await createSelfSigned({ names: ['localhost'] });
  own = { cert, key };
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-live-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const pemsOf = (certificates: readonly Made[] = []): string =>
  certificates.map(({ der }) => toPem('CERTIFICATE', der)).join('');

function materialOf({ shown, anchor }: LiveChain): { cert: string; key: string; ca: string } {
  const key = shown[0]?.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  return { cert: pemsOf(shown), key, ca: pemsOf([anchor]) };
}

const revocationOf = ({ crls, issuers }: LiveChain) =>
  crls === undefined
    ? {}
    : { revocation: crlRevocation({ crls, depth: 'chain', issuers: (issuers ?? []).map(({ der }) => der) }) };

/** Whether a listening server of ours admits a client that shows the chain. */
async function isAdmitted(chain: LiveChain, version: Version): Promise<boolean> {
  const { cert, key, ca } = materialOf(chain);
  await using server = await ourServer(version, {
    credentials: createCredentials({ ...own, ca }),
    clientCertificates: 'require',
    ...revocationOf(chain),
  });
  const { received } = await visit(portOf(server), { cert, key });
  expect(['', 'admitted end\n']).toContain(received);
  return received !== '';
}

/** Whether a client of ours trusts a server that shows the chain. */
async function isTrusted(chain: LiveChain, version: Version): Promise<boolean> {
  const { cert, key, ca } = materialOf(chain);
  await using server = await stockServer({ cert, key, minVersion: version, maxVersion: version }, () => '');
  try {
    const connection = await connect({
      host: '127.0.0.1',
      port: server.port,
      framing: lines(),
      credentials: createCredentials({ ca }),
      expectedName: 'a.test',
      ...revocationOf(chain),
    });
    await connection.close();
    return true;
  } catch (error) {
    expect((error as { code: string }).code).toMatch(/^KNSOCK_PEER_/);
    return false;
  }
}

async function byVerifyChain(chain: LiveChain, usage: 'server' | 'client'): Promise<boolean> {
  const { cert, ca } = materialOf(chain);
  const { crls = [], issuers } = chain;
  const intermediates = [pemsOf(issuers)].filter(Boolean);
  return (await verifyChain({ chain: cert, ca, usage, crls, intermediates, revocation: { depth: 'chain' } }))
    .ok;
}

async function byOpenssl(
  { shown, anchor, crls, issuers = [] }: LiveChain,
  usage: 'server' | 'client',
): Promise<boolean> {
  const write = async (name: string, text: string): Promise<string> => {
    const file = path.join(folder, name);
    await writeFile(file, text);
    return file;
  };
  const args = [
    'verify',
    ...['-CAfile', await write('ca.pem', pemsOf([anchor]))],
    ...['-untrusted', await write('untrusted.pem', pemsOf([...shown.slice(1), ...issuers]))],
    ...['-purpose', `ssl${usage}`, '-policy_check', '-policy', 'anyPolicy'],
  ];
  if (crls !== undefined) {
    const lists = crls.map((der) => toPem('X509 CRL', der)).join('');
    args.push('-CRLfile', await write('lists.pem', lists), '-crl_check_all', '-extended_crl', '-use_deltas');
  }
  args.push(await write('leaf.pem', pemsOf(shown.slice(0, 1))));
  return new Promise((resolve) => {
    execFile('openssl', args, (error) => {
      resolve(error === null);
    });
  });
}

describe('chains in the manner of PKITS', () => {
  it('are of every section, valid and invalid ones', () => {
    for (let section = 1; section <= 16; section++) {
      const verdicts = liveCases.filter((one) => one.section === `4.${section}`).map(({ valid }) => valid);
      expect(new Set(verdicts).size, `4.${section}`).toBe(2);
    }
  });

  it.each(liveCases)('$section, $title: valid is $valid, on either side', async ({ valid, make }) => {
    const chain = make();
    for (const version of versions) {
      expect([version, await isAdmitted(chain, version)]).toEqual([version, valid]);
      expect([version, await isTrusted(chain, version)]).toEqual([version, valid]);
    }
    for (const usage of ['server', 'client'] as const) {
      expect(await byVerifyChain(chain, usage)).toBe(valid);
      expect(await byOpenssl(chain, usage)).toBe(valid);
    }
  });
});
