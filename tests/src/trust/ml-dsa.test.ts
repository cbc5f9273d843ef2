/** Certificates with ML-DSA keys on connections: Node 22 and later verify them; the versions before refuse, with the reason. */
import { connect, createCredentials, lines, listen } from '@knsock/core';
import { verifyPathSync } from '@knsock/core/x509';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { expect, it } from 'vitest';
import { portOf } from '../support/world.js';

const hasLattices = ((): boolean => {
  try {
    createSecureContext({ sigalgs: 'mldsa65' });
    return true;
  } catch {
    createSecureContext();
    return false;
  }
})();

const fixture = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');

it('both sides authenticate by ML-DSA keys', async (context) => {
  if (!hasLattices) context.skip(`Node ${process.versions.node} makes no ML-DSA keys`);
  const own = (kind: string) =>
    createCredentials({
      cert: fixture(`ml-dsa-${kind}.pem`),
      key: fixture(`ml-dsa-${kind}.key`),
      ca: fixture('ml-dsa-root.pem'),
    });
  const where = { port: 0, host: '127.0.0.1', framing: lines() };
  await using server = await listen(
    { ...where, credentials: own('server'), clientCertificates: 'require' },
    (connection) => {
      connection.write(connection.peer?.dnsNames[0] ?? 'nobody');
      void connection.close();
    },
  );
  const target = { host: 'localhost', port: portOf(server), framing: lines() };
  await using connection = await connect({ ...target, credentials: own('client') });
  expect(String(await connection.receive())).toBe('app.test');
});

it('peers of TLS 1.2 are refused by such a key, which loading says', async (context) => {
  if (!hasLattices) context.skip(`Node ${process.versions.node} makes no ML-DSA keys`);
  const cert = fixture('ml-dsa-server.pem');
  const credentials = createCredentials({
    cert,
    key: fixture('ml-dsa-server.key'),
    ca: fixture('ml-dsa-root.pem'),
  });
  expect(credentials.warnings).toContainEqual(
    expect.objectContaining({
      reason: 'tls13-only',
      fatal: false,
      message: expect.stringContaining('ML-DSA-44, which only TLS 1.3 has') as unknown,
    }),
  );
  const where = { port: 0, host: '127.0.0.1', framing: lines(), credentials };
  await using server = await listen(where, () => undefined);
  const target = {
    host: 'localhost',
    port: portOf(server),
    framing: lines(),
    signal: AbortSignal.timeout(10_000),
  };
  const old = { profile: { maxVersion: 'TLSv1.2' } } as const;
  const ca = createCredentials({ ca: fixture('ml-dsa-root.pem') });
  await expect(connect({ ...target, ...old, credentials: ca })).rejects.toMatchObject({
    code: 'KNSOCK_HANDSHAKE_CIPHER',
  });
  const refusal = { code: 'KNSOCK_INVALID_OPTION', option: 'profile.maxVersion' };
  await expect(listen({ ...where, ...old }, () => undefined)).rejects.toMatchObject(refusal);
  await expect(connect({ ...target, ...old, credentials })).rejects.toMatchObject(refusal);
});

it('such a key, and a chain signed by one, are refused by name', (context) => {
  if (hasLattices) context.skip(`Node ${process.versions.node} has ML-DSA`);
  const own = { cert: fixture('ml-dsa-server.pem'), key: fixture('ml-dsa-server.key') };
  expect(() => createCredentials(own)).toThrow(
    expect.objectContaining({
      code: 'KNSOCK_CREDENTIALS_UNSUPPORTED',
      message: expect.stringContaining("(ML-DSA-44) can't be used by this version of Node") as unknown,
      hint: expect.stringContaining('24.6') as unknown,
    }),
  );
  const path = { leaf: own.cert, anchors: [fixture('ml-dsa-root.pem')], usage: 'server' } as const;
  expect(verifyPathSync(path)).toMatchObject({
    reason: 'weak',
    message: expect.stringContaining("signed with ml-dsa-44, which this Node can't verify") as unknown,
  });
});
