import { spawn } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openStore } from '@knsock/certs';
import { afterAll, beforeAll, expect, it } from 'vitest';

const program = fileURLToPath(new URL('store-writer.program.ts', import.meta.url));
const ROUNDS = 3;
let folder: string;
const told = { issued: new Set<string>(), revoked: new Set<string>(), crls: [] as number[] };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-crash-'));
  await (await openStore(folder)).createAuthority({ commonName: 'Root' });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a writer, kills it after this many lines, and keeps what it reported as durable. */
async function writeUntilKilled(name: string, lines: number): Promise<void> {
  const node = ['-C', '@knsock/source', '--import', import.meta.resolve('tsx'), program, folder, name];
  const child = spawn(process.execPath, node, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let heard = 0;
  for await (const line of createInterface(child.stdout)) {
    remember(line);
    heard += 1;
    if (heard === lines) child.kill('SIGKILL');
  }
  expect((await exited)[1]).toBe('SIGKILL');
}

function remember(line: string): void {
  const [what, value = ''] = line.split(' ');
  if (what === 'crl') told.crls.push(Number(value));
  if (what !== 'issued' && what !== 'revoked') return;
  told[what].add(
    new X509Certificate(Buffer.from(value, 'base64')).fingerprint256.replaceAll(':', '').toLowerCase(),
  );
}

it('loses no issued certificate and no revocation, whenever two writers at once are killed', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const lines = () => 3 + Math.floor(Math.random() * 25);
    await Promise.all(['one', 'two'].map((name) => writeUntilKilled(`${name}-${round}`, lines())));
    const store = await openStore(folder);
    const kept = await store.certificates();
    const known = new Map(kept.map((one) => [one.fingerprint, one]));
    for (const fingerprint of told.issued) expect(known.has(fingerprint)).toBe(true);
    for (const fingerprint of told.revoked)
      expect(known.get(fingerprint)?.revoked?.reason).toBe('superseded');
    expect(new Set(kept.map(({ serial }) => serial)).size).toBe(kept.length);
    await expectWholePairs();
  }
  expect(told.issued.size).toBeGreaterThan(ROUNDS);
  expect(told.revoked.size).toBeGreaterThan(ROUNDS / 2);
  // No number was used for two lists, by two processes at once or after a crash.
  expect(new Set(told.crls).size).toBe(told.crls.length);
  const { number } = await (await (await openStore(folder)).authority('root')).crl();
  expect(number).toBeGreaterThan(Math.max(...told.crls));
}, 120_000);

/** Every certificate matches the key beside it, and nothing incomplete is left. */
async function expectWholePairs(): Promise<void> {
  const issued = join(folder, 'issued');
  for (const file of (await readdir(issued)).filter((name) => name.endsWith('.crt'))) {
    const key = createPrivateKey(await readFile(join(issued, file.replace(/crt$/, 'key'))));
    expect(new X509Certificate(await readFile(join(issued, file))).checkPrivateKey(key)).toBe(true);
  }
  const left = (await readdir(folder, { recursive: true })).filter((name) => /\.(next|tmp)$/.test(name));
  expect(left).toEqual([]);
}
