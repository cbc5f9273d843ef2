/** An authority that serves, machines that enrol and renew at it, and the signature that each certificate takes at least. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enroll, openStore, renewEnrolled } from '@knsock/certs';
import { createToken, formatToken, rootOf, serveAuthority } from '@knsock/certs/authority-server';
import { repeat } from '../repeat.js';

/** What a machine needs to know of the authority. */
export interface Served {
  readonly directory: string;
  readonly port: number;
}

const folder = mkdtempSync(join(tmpdir(), 'knsock-bench-enrolment-'));
process.on('exit', () => {
  rmSync(folder, { recursive: true, force: true });
});

export async function serve(): Promise<Served> {
  const store = await openStore(join(folder, 'store'));
  await store.createAuthority({ commonName: 'Root' });
  const server = await serveAuthority({ store, names: ['localhost'], port: 0, host: '127.0.0.1' });
  return { directory: store.directory, port: 'port' in server.address ? server.address.port : 0 };
}

/** ECDSA on P-256, as OpenSSL makes it for the certificates here. */
export function signing({ ms }: { readonly ms: number }) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const bytes = Buffer.alloc(300);
  return repeat(ms, () => Promise.resolve(sign('sha256', bytes, privateKey)));
}

let machines = 0;
let turn = 0;

/** Enrols as many machines as it can, each with a token of its own. */
export async function enrolling({ ms, at }: { readonly ms: number; readonly at: Served }) {
  return repeat(ms, () => enrolNext(at));
}

/** Makes sure that there are so many. */
export async function fleet({ count, at }: { readonly count: number; readonly at: Served }): Promise<void> {
  while (machines < count) await enrolNext(at);
}

/** One machine after the other renews, the first again after the last. */
export function renewing({ ms }: { readonly ms: number }) {
  return repeat(ms, () => renewEnrolled({ dir: machine(turn++ % machines), force: true }));
}

async function enrolNext({ directory, port }: Served): Promise<void> {
  const names = [`agent-${machines}.example`];
  const secret = await createToken(directory, { names });
  const root = rootOf(await (await openStore(directory)).chain());
  const token = formatToken({ ...secret, root, names, kind: 'client', address: `localhost:${port}` });
  await enroll({ token, dir: machine(machines) });
  machines += 1;
}

const machine = (index: number): string => join(folder, `machine-${index}`);
