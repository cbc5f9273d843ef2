import { spawn } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openStore, type StoredCertificate } from '@knsock/certs';
import { parseCrl } from '@knsock/core/x509';
import { afterAll, beforeAll, expect, it } from 'vitest';

const program = fileURLToPath(new URL('store-killed.program.ts', import.meta.url));
/** How many of all the steps a process dies at; KNSOCK_FAULTS=full takes each. */
const POINTS = process.env['KNSOCK_FAULTS'] === 'full' ? Infinity : 16;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-killed-'));
  await (await openStore(folder)).createAuthority({ commonName: 'Root' });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const told = { issued: new Set<string>(), revoked: new Set<string>(), crls: [] as number[] };

/** Runs the program until its n-th step, keeps what it reported as durable, and returns its number of steps if it finished. */
async function runUntil(step: number): Promise<number | undefined> {
  const node = [
    '-C',
    '@knsock/source',
    '--import',
    import.meta.resolve('tsx'),
    program,
    folder,
    String(step),
  ];
  const child = spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let steps: number | undefined;
  for await (const line of createInterface(child.stdout)) {
    const [what, value = ''] = line.split(' ');
    if (what === 'steps') steps = Number(value);
    else if (what === 'crl') told.crls.push(Number(value));
    else if (what === 'issued' || what === 'revoked')
      told[what].add(fingerprintOf(Buffer.from(value, 'base64')));
  }
  const [code, signal] = (await exited) as [number | null, string | null];
  expect(steps === undefined ? signal : code).toBe(steps === undefined ? 'SIGKILL' : 0);
  return steps;
}

const fingerprintOf = (pem: Buffer): string =>
  new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();

it(
  'leaves index, serials, lists and files consistent wherever a process is killed',
  { timeout: 1_200_000 },
  async () => {
    const steps = (await runUntil(-1)) ?? 0;
    expect(steps).toBeGreaterThan(100);
    await expectConsistent();
    const points = Math.min(POINTS, steps);
    for (let point = 0; point < points; point += 1) {
      // One in each part of the way, another one in each run of this test.
      await runUntil(1 + Math.floor(((point + Math.random()) * steps) / points));
      await expectConsistent();
    }
  },
);

/** Opens the store as the next program would, which completes unfinished changes, and compares everything with the index. */
async function expectConsistent(): Promise<void> {
  const store = await openStore(folder);
  const kept = await store.certificates();
  const known = new Map(kept.map((one) => [one.fingerprint, one]));
  expect(new Set(kept.map(({ serial }) => serial)).size).toBe(kept.length);
  for (const fingerprint of told.issued) expect(known.has(fingerprint)).toBe(true);
  for (const fingerprint of told.revoked) expect(known.get(fingerprint)?.revoked?.reason).toBe('superseded');
  expect(new Set(told.crls).size).toBe(told.crls.length);
  for (const place of ['issued', 'ca', 'issued/serials']) await expectPairs(place, known);
  const left = (await readdir(folder, { recursive: true })).filter((name) => /\.(next|tmp)$/.test(name));
  expect(left).toEqual([]);
  const authority = await store.authority('root');
  await authority.issue({ kind: 'client', commonName: 'next', file: false });
  const { number, der } = await authority.crl();
  expect(number).toBeGreaterThan(Math.max(0, ...told.crls));
  told.crls.push(number);
  const listed = new Set([...parseCrl(der).entries].map(({ serial }) => serial));
  for (const fingerprint of told.revoked) expect(listed.has(known.get(fingerprint)?.serial ?? '')).toBe(true);
}

/** Every certificate in a folder is in the index, and the key beside it is its own. */
async function expectPairs(place: string, known: ReadonlyMap<string, StoredCertificate>): Promise<void> {
  for (const file of (await readdir(join(folder, place))).filter((name) => name.endsWith('.crt'))) {
    const pem = await readFile(join(folder, place, file));
    expect(known.has(fingerprintOf(pem))).toBe(true);
    const key = await readFile(join(folder, place, file.replace(/crt$/, 'key'))).catch(() => undefined);
    if (place === 'issued/serials') expect(key).toBeUndefined();
    else expect(new X509Certificate(pem).checkPrivateKey(createPrivateKey(key ?? ''))).toBe(true);
  }
}
