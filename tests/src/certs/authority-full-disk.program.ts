/**
 * Serves an authority whose store is on a small disk of its own, and enrols machines while that is full up to some pages.
 * Arguments: a folder of the store, to mount the disk at; one for the machines. It prints the outcome as JSON.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { enroll, openStore } from '@knsock/certs';
import { createToken, formatToken, listTokens, rootOf, serveAuthority } from '@knsock/certs/authority-server';
import { parseCertificate } from '@knsock/core/x509';
import { mountSmallDisk } from './small-disk.js';

const [folder = '', machines = ''] = process.argv.slice(2);
/** Free pages at each round: from none to enough for everything. */
const ROUNDS = [0, 1, 2, 3, 4, 5, 6, 8];

const disk = mountSmallDisk(folder, '2m');
const directory = join(folder, 'store');
const store = await openStore(directory);
const authority = await store.createAuthority({ commonName: 'Root' });
const errors: string[] = [];
const server = await serveAuthority({
  ...{ store, names: ['localhost'], port: 0, host: '127.0.0.1' },
  onError: ({ message }) => {
    errors.push(message);
  },
});
const port = 'port' in server.address ? server.address.port : 0;
const root = rootOf(await store.chain());

const outcomes: { free: number; first: string; serial: string; given: string[]; noted: string[] }[] = [];
for (const [index, free] of ROUNDS.entries()) {
  // Journals of another length each time, so that they end at other places of a page.
  const name = `agent-${'x'.repeat(index * 7)}${index}.example`;
  const { id, secret } = await createToken(directory, { names: [name] });
  const token = formatToken({
    address: `localhost:${port}`,
    root,
    id,
    secret,
    kind: 'client',
    names: [name],
  });
  const dir = join(machines, String(index));
  disk.fill(free);
  const first = await enroll({ token, dir, timeout: 10_000 }).then(
    (enrolled) => enrolled.serial,
    (error: unknown) => (error as { code: string }).code,
  );
  disk.clear();
  const { serial } = await enroll({ token, dir, timeout: 10_000 });
  const noted = (await listTokens(directory)).find((one) => one.id === id)?.enrolled ?? [];
  outcomes.push({ free, first, serial, given: archived(name), noted: noted.map((one) => one.serial ?? '') });
}

const victim = outcomes[0]?.serial ?? '';
disk.fill(0);
// The index may have room left in its last page; it runs out sooner or later.
const refusal = await untilRefused(async () => {
  await authority.revoke(victim, 'superseded');
});
disk.clear();
await authority.revoke(victim, 'superseded');
const crl = await authority.crl();
await server.close();
// As after a restart: everything is read again.
const again = await openStore(directory);
const indexed = (await again.certificates()).map(({ serial }) => serial);
const tokens = (await listTokens(directory)).length;
console.log(
  JSON.stringify({
    outcomes,
    errors,
    refusal,
    indexed,
    tokens,
    crl: crl.number,
    victim: (await again.find({ serial: victim }))?.revoked?.reason,
  }),
);

async function untilRefused(work: () => Promise<void>): Promise<string> {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      await work();
      await authority.crl();
    } catch (error) {
      return (error as Error).message;
    }
  }
  return 'never refused';
}

/** Serials of the certificates of that name which were issued, or could have been. */
function archived(name: string): string[] {
  const folder = join(directory, 'issued/serials');
  const files = readdirSync(folder).filter((file) => file.endsWith('.crt'));
  return files
    .map((file) => parseCertificate(readFileSync(join(folder, file))))
    .filter(({ dnsNames }) => dnsNames.includes(name))
    .map(({ serial }) => serial);
}
