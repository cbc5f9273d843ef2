/** The keys of a run, in a folder that is removed after it; every contestant gets the same. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createAuthority } from '@knsock/certs';

export interface Certificates {
  readonly folder: string;
  readonly ca: string;
  readonly caKey: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
}

/** The name that the server's certificate carries. */
export const SERVER_NAME = 'localhost';

/** P-256 throughout, as most use today. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = mkdtempSync(path.join(tmpdir(), 'knsock-benchmarks-'));
  const authority = await createAuthority({ commonName: 'Benchmarks', days: 2 });
  const server = await authority.issue({ kind: 'server', names: [SERVER_NAME], days: 1 });
  const client = await authority.issue({ kind: 'client', names: ['client.test'], days: 1 });
  const keep = (name: string, pem: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, pem, { mode: 0o600 });
    return file;
  };
  return {
    folder,
    ca: keep('ca.pem', authority.certificate),
    caKey: keep('ca.key', authority.key ?? ''),
    serverCertificate: keep('server.pem', server.certificate),
    serverKey: keep('server.key', server.key),
    clientCertificate: keep('client.pem', client.certificate),
    clientKey: keep('client.key', client.key),
  };
}

export function removeCertificates({ folder }: Certificates): void {
  rmSync(folder, { recursive: true, force: true });
}
