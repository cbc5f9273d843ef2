/** Development certificates: made once per user, renewed when due. */
import { access } from 'node:fs/promises';
import { homedir, hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { CredentialFiles } from '@knsock/core';
import type { Authority } from '@knsock/certs';

export interface Development {
  readonly folder: string;
  readonly server: CredentialFiles;
  readonly client: Readonly<Record<'certFile' | 'keyFile' | 'caFile', string>>;
}

const NAMES = ['localhost', '127.0.0.1', '::1'];

/** Creates what is missing, in the user's own folder. */
export async function developmentCertificates(): Promise<Development> {
  const { renew } = await import('@knsock/certs');
  const folder = developmentFolder();
  const issuer = await developmentAuthority(folder);
  const caFile = rootIn(folder);
  for (const kind of ['server', 'client'] as const) {
    const pair = pairIn(folder, kind);
    if (await isThere(pair.certFile)) await renew({ ...pair, issuer });
    else await issue(issuer, kind);
  }
  return {
    folder,
    server: { ...pairIn(folder, 'server'), caFile },
    client: { ...pairIn(folder, 'client'), caFile },
  };
}

/** The root of the development CA; undefined if there is none, and none is to be made. */
export async function developmentRoot(make: boolean): Promise<string | undefined> {
  const folder = developmentFolder();
  if (make) await developmentAuthority(folder);
  return (await isThere(rootIn(folder))) ? rootIn(folder) : undefined;
}

async function developmentAuthority(folder: string): Promise<Authority> {
  const { openStore } = await import('@knsock/certs');
  const store = await openStore(folder);
  const there = (await store.authorities()).includes('development');
  if (there) return store.authority('development');
  return store.createDevelopmentAuthority({ commonName: `Development CA ${whose()}` });
}

/** Names the owner, for people who find it in a trust store. A common name has 64 characters at most, and " (issuing)" follows. */
function whose(): string {
  return `${userInfo().username}@${hostname()}`.slice(0, 38);
}

const rootIn = (folder: string): string => join(folder, 'ca', 'root.crt');

async function issue(authority: Authority, kind: 'server' | 'client'): Promise<void> {
  const names = kind === 'server' ? NAMES : [];
  const commonName = kind === 'server' ? 'localhost' : 'developer';
  await authority.issue({ kind, names, commonName, file: kind });
}

function pairIn(folder: string, name: string): { certFile: string; keyFile: string } {
  const base = join(folder, 'issued', name);
  return { certFile: `${base}.crt`, keyFile: `${base}.key` };
}

/** KNSOCK_DEV_DIR, else the user's data folder. */
function developmentFolder(): string {
  const { KNSOCK_DEV_DIR, XDG_DATA_HOME, LOCALAPPDATA } = process.env;
  if (KNSOCK_DEV_DIR !== undefined && KNSOCK_DEV_DIR !== '') return KNSOCK_DEV_DIR;
  const data = process.platform === 'win32' ? LOCALAPPDATA : XDG_DATA_HOME;
  return join(data ?? join(homedir(), '.local', 'share'), 'knsock', 'development');
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
