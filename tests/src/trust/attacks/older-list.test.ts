/** An earlier revocation list, still within its dates, put in the place of a later one: as by a mirror, or on the way of a download. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { watchCredentials, type WatchedCredentials } from '@knsock/core';
import { parseCertificate, toPem } from '@knsock/core/x509';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bare, ticketOf, versions, visit } from '../../support/raw-tls.js';
import { createWorld, portOf, type World } from '../../support/world.js';
import { issueCa, makeCrlDer } from '../../x509/issue.js';
import { ourServer } from './ours.js';

let world: World;
let folder: string;
let before: string;
let after: string;
let watched: WatchedCredentials;
const at = (name: string): string => path.join(folder, name);
beforeEach(async () => {
  world = await createWorld();
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-older-'));
  before = (await world.authority.crl()).pem;
  const { material } = world.server;
  await writeFile(at('tls.crt'), material.cert);
  await writeFile(at('tls.key'), material.key, { mode: 0o600 });
  await writeFile(at('ca.crt'), world.authority.root);
  await writeFile(at('ca.crl'), before);
  const files = {
    certFile: at('tls.crt'),
    keyFile: at('tls.key'),
    caFile: at('ca.crt'),
    crlFile: at('ca.crl'),
  };
  watched = await watchCredentials(files, { interval: 60_000 });
});
afterEach(async () => {
  watched.close();
  await rm(folder, { recursive: true });
});

async function put(...lists: readonly string[]): Promise<void> {
  await writeFile(at('ca.crl'), lists.join(''));
  await watched.reload();
}

it.each(versions)('opens nothing to a revoked client, over %s', async (version) => {
  await using server = await ourServer(version, { credentials: watched, clientCertificates: 'require' });
  const client = bare(world.client);
  const first = await visit(portOf(server), client);
  expect(first.received).toBe('admitted app\n');
  await world.authority.revoke(world.client.material.cert);
  after = (await world.authority.crl()).pem;

  await put(after);
  expect((await visit(portOf(server), client)).received).toBe('');
  await put(before);
  expect((await visit(portOf(server), client)).received).toBe('');
  expect((await visit(portOf(server), { ...client, session: ticketOf(first) })).received).toBe('');
  expect(watched.current.warnings).toContainEqual(
    expect.objectContaining({
      reason: 'crl-older',
      fatal: false,
      file: at('ca.crl'),
      message: expect.stringContaining('is older than the one in use') as unknown,
    }),
  );

  await put(after);
  expect(watched.current.warnings).toEqual([]);
  expect(watched.current.crls).toHaveLength(1);
  expect((await visit(portOf(server), client)).received).toBe('');
});

it('nor does one beside a forged list that claims to be later', async () => {
  await using server = await ourServer('TLSv1.3', { credentials: watched, clientCertificates: 'require' });
  await world.authority.revoke(world.client.material.cert);
  await put((await world.authority.crl()).pem);
  const { subject } = parseCertificate(
    Buffer.from(world.authority.root.replace(/-----.*-----|\n/g, ''), 'base64'),
  );
  const commonName = subject.commonNames[0] ?? '';
  const forged = makeCrlDer({
    issuer: issueCa({ subject: `CN=${commonName}` }),
    thisUpdate: new Date(),
    nextUpdate: new Date(Date.now() + 86_400_000),
    number: 1_000,
  });
  await put(toPem('X509 CRL', forged), before);
  expect((await visit(portOf(server), bare(world.client))).received).toBe('');
});
