import { expect, it, vi } from 'vitest';
import { connect } from '../client/connect.js';
import { createCredentials } from '../credentials/credentials.js';
import { lines } from '../framing/index.js';
import { serve } from '../server/listen.js';
import { makeCertificate } from '../testing/made-certificates.js';
import { KeptConnections } from './kept-connections.js';

it('keeps 32 connections, closes the one that was unused for longest, and has the others to take', async () => {
  const ca = makeCertificate({ commonName: 'CA', isAuthority: true });
  const own = makeCertificate({ commonName: 'us', issuer: ca, names: ['localhost'], usage: 'server' });
  await using server = await serve(
    {
      port: 0,
      host: '127.0.0.1',
      framing: lines(),
      credentials: createCredentials({ cert: own.pem, key: own.keyPem }),
    },
    ({ payload }) => payload,
  );
  const port = 'port' in server.address ? server.address.port : 0;
  const credentials = createCredentials({ ca: ca.pem });
  const kept = new KeptConnections();
  const opened = [];
  for (let n = 0; n < 40; n += 1) {
    const connection = await connect({ host: 'localhost', port, credentials, framing: lines() });
    kept.keep(String(n), connection);
    opened.push(connection);
  }
  for (const forgotten of opened.slice(0, 8)) expect((await forgotten.closed).error).toBeUndefined();
  await vi.waitFor(() => expect(server.stats().connections).toBe(32));
  expect(kept.take('7')).toBeNull();
  for (const [n, connection] of [...opened.entries()].slice(8)) {
    expect(kept.take(String(n))).toBe(connection);
    expect(String(await connection.request('still open'))).toBe('still open');
    await connection.close();
  }
});
