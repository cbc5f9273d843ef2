/** The files of kn-sock's page, by its names: made once, of RSA keys as there. */
import { createAuthority } from '@knsock/certs';

const RSA = { keyType: 'rsa2048', days: 7 } as const;

let made: Promise<Readonly<Record<string, string>>> | undefined;

/** `ca.crt`, `server.crt`, `server.key`, `client.crt`, `client.key`, `revoked.crt`, `revoked.key` and `ca.crl`. */
export function pemFiles(): Promise<Readonly<Record<string, string>>> {
  made ??= makeFiles();
  return made;
}

async function makeFiles(): Promise<Readonly<Record<string, string>>> {
  const ca = await createAuthority({ commonName: 'Example CA', ...RSA, days: 30 });
  const server = await ca.issue({ kind: 'server', names: ['localhost', '127.0.0.1', '::1'], ...RSA });
  const client = await ca.issue({ kind: 'client', commonName: 'alice', ...RSA });
  const revoked = await ca.issue({ kind: 'client', commonName: 'mallory', ...RSA });
  await ca.revoke(revoked.certificate, 'key-compromise');
  return {
    'ca.crt': ca.root,
    'server.crt': server.chain,
    'server.key': server.key,
    'client.crt': client.chain,
    'client.key': client.key,
    'revoked.crt': revoked.chain,
    'revoked.key': revoked.key,
    'ca.crl': (await ca.crl()).pem,
  };
}
