/** Certificates as files, for what reads files. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, type Authority } from '@knsock/certs';

export interface CertificateFolder extends AsyncDisposable {
  readonly path: string;
  readonly authority: Authority;
  /** Where a file of that name is, or would be. */
  at(name: string): string;
  /** Writes a file and tells where. */
  write(name: string, content: string | Uint8Array): Promise<string>;
}

/** A folder with `ca.crt`, `server.crt`, `server.key` (for localhost), `client.crt` and `client.key`. */
export async function createCertificateFolder(): Promise<CertificateFolder> {
  const path = await mkdtemp(join(tmpdir(), 'knsock-test-'));
  const at = (name: string): string => join(path, name);
  const write = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(at(name), content, { mode: 0o600 });
    return at(name);
  };
  const authority = await createAuthority({ commonName: 'Test CA', days: 30 });
  const server = await authority.issue({ kind: 'server', names: ['localhost', '127.0.0.1', '::1'], days: 7 });
  const client = await authority.issue({ kind: 'client', commonName: 'app', days: 7 });
  await write('ca.crt', authority.root);
  await write('server.crt', server.chain);
  await write('server.key', server.key);
  await write('client.crt', client.chain);
  await write('client.key', client.key);
  const remove = () => rm(path, { recursive: true, force: true });
  return { path, authority, at, write, [Symbol.asyncDispose]: remove };
}
