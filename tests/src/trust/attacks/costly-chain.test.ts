import { lines, listen } from '@knsock/core';
import { toPem } from '@knsock/core/x509';
import { beforeAll, describe, expect, it } from 'vitest';
import { hear } from '../../support/heard.js';
import { visit } from '../../support/raw-tls.js';
import { createWorld, portOf, type World } from '../../support/world.js';
import { extendedKeyUsage, issue, issueCa, type Made } from '../../x509/issue.js';

let world: World;
let chain: string;
let client: Made;
beforeAll(async () => {
  world = await createWorld();
  const day = 86_400_000;
  const dates = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
  // All have one name, so that each may have signed the one before: only the signatures show which did.
  const cas = [issueCa({ subject: 'CN=Mesh', ...dates })];
  for (let n = 0; n < 13; n++) cas.push(issueCa({ subject: 'CN=Mesh', issuer: cas[n] as Made, ...dates }));
  const usage = [extendedKeyUsage('client')];
  client = issue({ subject: 'CN=stranger', issuer: cas[13] as Made, extensions: usage, ...dates });
  chain = [client, ...cas.slice(1)].map(({ der }) => toPem('CERTIFICATE', der)).join('');
});

describe('an attacker with a dozen CAs that may all have signed each other', () => {
  it('has a handful of their signatures checked, and is refused', async () => {
    using heard = hear('knsock:failure');
    await using server = await listen(
      {
        port: 0,
        host: '127.0.0.1',
        framing: lines(),
        credentials: world.server,
        clientCertificates: 'require',
      },
      () => undefined,
    );
    const key = client.privateKey.export({ format: 'pem', type: 'pkcs8' });
    const visited = await visit(portOf(server), { cert: chain, key });
    expect(visited.received).toBe('');
    expect(heard.events).toHaveLength(1);
    expect(String(heard.events[0]?.error)).toContain('leads to no trusted CA within 6 signature checks');
    expect(server.stats()).toMatchObject({ admitted: 0, refusedPeers: 1 });
  });
});
