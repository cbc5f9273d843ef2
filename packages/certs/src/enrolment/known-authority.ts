/** Where a store's authority is served, kept in the store so that tokens can contain it. */
import { join } from 'node:path';
import { isIPv6 } from 'node:net';
import { filePath, required } from '@knsock/core/options';
import { parseCertificates } from '@knsock/core/x509';
import { PUBLIC, readIfThere, writeAtomic } from '../files/atomic-file.js';

/** How machines reach an authority and recognise it. */
export interface KnownAuthority {
  /** `host:port`, as machines reach it. */
  readonly address: string;
  /** SHA-256 fingerprint of the root, lower-case hex. */
  readonly root: string;
}

const FILE = 'serving.json';

export async function rememberAuthority(
  directory: string,
  { host, port, chain }: { readonly host: string; readonly port: number; readonly chain: string },
): Promise<void> {
  const known: KnownAuthority = { address: addressOf(host, port), root: rootOf(chain) };
  await writeAtomic(join(directory, FILE), `${JSON.stringify(known)}\n`, { mode: PUBLIC, overwrite: true });
}

/** What the last server of a store's authority recorded; undefined: none was ever started, or the record is damaged. */
export async function knownAuthority(directory: string): Promise<KnownAuthority | undefined> {
  required(filePath)('directory', directory);
  const text = await readIfThere(join(directory, FILE));
  try {
    const { address, root } = JSON.parse(text ?? '') as Partial<KnownAuthority>;
    return typeof address === 'string' && typeof root === 'string' ? { address, root } : undefined;
  } catch {
    return undefined;
  }
}

/** The SHA-256 fingerprint of a chain's last certificate, lower-case hex. */
export function rootOf(chain: string): string {
  return parseCertificates(chain).at(-1)?.fingerprint256 ?? '';
}

function addressOf(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
