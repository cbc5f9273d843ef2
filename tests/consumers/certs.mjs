// Certificates made on the spot, then a request over mutual TLS, from an ES module.
import assert from 'node:assert/strict';
import { createAuthority } from '@knsock/certs';
import { connect, createCredentials, serve } from '@knsock/core';

const authority = await createAuthority({ commonName: 'Consumer CA' });

async function credentials(kind, name) {
  const { chain, key } = await authority.issue({ kind, names: [name] });
  return createCredentials({ cert: chain, key, ca: authority.certificate });
}

const server = await serve(
  {
    host: '127.0.0.1',
    port: 0,
    clientCertificates: 'require',
    credentials: await credentials('server', 'localhost'),
  },
  ({ payload, peer }) => `${peer?.dnsNames[0]} said ${payload}`,
);
const client = await connect({
  host: '127.0.0.1',
  port: server.address.port,
  servername: 'localhost',
  credentials: await credentials('client', 'client.example'),
});
assert.equal(String(await client.request('hello')), 'client.example said hello');
await client.close();
await server.close();
