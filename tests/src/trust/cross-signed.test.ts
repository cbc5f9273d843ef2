/**
 * A client whose issuing CA was signed by an old root and by a new one, and which sends both certificates of that CA. A server
 * trusts only the new root. Node returns all that was sent; OpenSSL takes the first of the two, and tries no other.
 */
import { createCredentials, lines, listen } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { hear } from '../support/heard.js';
import { versions, visit } from '../support/raw-tls.js';
import { portOf } from '../support/world.js';
import { issueCa, issueClient, issueServer, type Made } from '../x509/issue.js';

const DAY = 86_400_000;
const dates = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + 30 * DAY) };
const pem = (...made: readonly Made[]): string => made.map(({ certificate }) => certificate.pem).join('');
const keyOf = ({ privateKey }: Made): string =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

let byOld: Made;
let byNew: Made;
let stranger: Made;
let leaf: Made;
let credentials: ReturnType<typeof createCredentials>;
beforeAll(() => {
  const oldRoot = issueCa({ subject: 'CN=Old root', ...dates });
  const newRoot = issueCa({ subject: 'CN=New root', ...dates });
  byOld = issueCa({ subject: 'CN=Issuing', issuer: oldRoot, ...dates });
  byNew = issueCa({ subject: 'CN=Issuing', issuer: newRoot, keyOf: byOld, serial: 77, ...dates });
  stranger = issueCa({ subject: 'CN=Stranger', ...dates });
  leaf = issueClient({ subject: 'CN=app', issuer: byOld, ...dates });
  const own = issueServer({ issuer: newRoot, names: ['DNS:localhost'], ...dates });
  credentials = createCredentials({ cert: pem(own), key: keyOf(own), ca: pem(newRoot) });
});

describe.each(versions)('over %s', (version) => {
  const received = async (...sent: readonly Made[]): Promise<string> => {
    const profile = { minVersion: version, maxVersion: version };
    const where = { port: 0, host: '127.0.0.1', framing: lines() };
    const options = { ...where, credentials, profile, clientCertificates: 'require' } as const;
    await using server = await listen(options, async (connection) => {
      await connection.send(connection.peer?.path.map(({ subject }) => String(subject)).join(' < ') ?? '');
      void connection.close();
    });
    const client = { cert: pem(leaf, ...sent), key: keyOf(leaf) };
    return (await visit(portOf(server), client)).received;
  };

  it('is admitted by the certificate that leads to the trusted root, with others beside it', async () => {
    const path = 'CN=app < CN=Issuing < CN=New root\n';
    expect(await received(byNew)).toBe(path);
    expect(await received(byNew, byOld)).toBe(path);
    expect(await received(stranger, byNew)).toBe(path);
  });

  it('is refused where the other one comes first, as OpenSSL refuses it', async () => {
    using failures = hear('knsock:failure');
    expect(await received(byOld, byNew)).toBe('');
    expect(failures.events).toMatchObject([{ error: { code: 'KNSOCK_PEER_UNKNOWN_ISSUER' } }]);
  });
});
