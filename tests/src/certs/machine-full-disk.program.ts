/**
 * Enrols and renews machines while the disk of their folders is full up to some pages. Arguments: a folder, to mount the
 * disk at; one for the authority's store. It prints the outcomes as JSON.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { enroll, keyMatches, openStore, renewEnrolled } from '@knsock/certs';
import { createToken, formatToken, rootOf, serveAuthority } from '@knsock/certs/authority-server';
import { mountSmallDisk } from './small-disk.js';

const [folder = '', directory = ''] = process.argv.slice(2);
/** Free pages at each round: from none to enough for everything. */
const ROUNDS = Array.from({ length: 11 }, (_, free) => free);

const disk = mountSmallDisk(folder, '1m');
const store = await openStore(directory);
await store.createAuthority({ commonName: 'Root' });
const server = await serveAuthority({ store, names: ['localhost'], port: 0, host: '127.0.0.1' });
const address = `localhost:${'port' in server.address ? server.address.port : 0}`;
const root = rootOf(await store.chain());

const outcomes: object[] = [];
for (const free of ROUNDS) {
  const names = [`machine-${free}.example`];
  const token = formatToken({
    address,
    root,
    kind: 'client',
    names,
    ...(await createToken(directory, { names })),
  });
  const dir = join(folder, String(free));
  disk.fill(free);
  const first = await codeOf(enroll({ token, dir }));
  disk.clear();
  await enroll({ token, dir });
  const issued = (await store.certificates()).filter((one) => one.names.includes(names[0] as string)).length;
  const pairs = [isPair(dir)];
  disk.fill(free);
  const renewal = await codeOf(renewEnrolled({ dir, force: true }));
  pairs.push(isPair(dir));
  disk.clear();
  await renewEnrolled({ dir, force: true });
  pairs.push(isPair(dir));
  outcomes.push({ first, issued, renewal, pairs });
}
await server.close();
console.log(JSON.stringify(outcomes));

function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (error as { code: string }).code,
  );
}

function isPair(dir: string): boolean {
  const [cert = '', key = ''] = ['tls.crt', 'tls.key'].map((file) => readFileSync(join(dir, file), 'utf8'));
  return keyMatches(cert, key);
}
