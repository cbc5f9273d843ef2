/** A process that is killed in the middle of an order, at any step. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { keyMatches } from '@knsock/certs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDirectory, type AcmeDirectory } from './acme-directory.js';

const run = promisify(execFile);
const program = fileURLToPath(new URL('acme-killed.program.ts', import.meta.url));
/** How many of all the steps a process dies at; KNSOCK_FAULTS=full takes each. */
const POINTS = process.env['KNSOCK_FAULTS'] === 'full' ? Infinity : 5;

let folder: string;
let server: AcmeDirectory;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-acme-killed-'));
  server = await startDirectory();
  await writeFile(join(folder, 'ca.crt'), server.ca);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the program. @returns its steps, or what killed it */
async function obtain(dir: string, last: number): Promise<number | 'SIGKILL'> {
  const node = ['-C', '@knsock/source', '--import', import.meta.resolve('tsx'), program];
  const args = [...node, dir, server.url, join(folder, 'ca.crt'), String(last)];
  try {
    const { stdout } = await run(process.execPath, args);
    return Number(/^steps (\d+)$/m.exec(stdout)?.[1]);
  } catch (error) {
    if ((error as { signal?: string }).signal === 'SIGKILL') return 'SIGKILL';
    throw error;
  }
}

/** Whether the folder knows the order that was placed. */
async function knowsItsOrder(dir: string): Promise<boolean> {
  const order = await readFile(join(dir, '.order.json'), 'utf8').catch(() => '');
  return order.includes('"url"') || (await readdir(dir).catch((): string[] => [])).includes('acme.json');
}

async function obtainAcross(step: number): Promise<number> {
  const dir = join(folder, `step-${step}`);
  const before = server.orders.length;
  const first = await obtain(dir, step);
  const known = await knowsItsOrder(dir);
  const second = await obtain(dir, -1);
  const placed = server.orders.length - before;
  // Only an order whose URL was never written can't be continued.
  expect(placed).toBeLessThanOrEqual(known ? 1 : 2);
  expect(server.orders.slice(before).filter(({ status }) => status === 'valid')).toHaveLength(1);
  const [cert, key] = await Promise.all(
    ['tls.crt', 'tls.key'].map((file) => readFile(join(dir, file), 'utf8')),
  );
  expect(keyMatches(cert ?? '', key ?? '')).toBe(true);
  expect((await readdir(dir)).filter((file) => file.startsWith('.order.'))).toEqual([]);
  if (step !== -1) expect(first).toBe('SIGKILL');
  expect(second).not.toBe('SIGKILL');
  return typeof first === 'number' ? first : 0;
}

it('orders one certificate wherever its process is killed', { timeout: 1_200_000 }, async () => {
  const steps = await obtainAcross(-1);
  expect(steps).toBeGreaterThan(20);
  const points = Math.min(POINTS, steps);
  for (let point = 0; point < points; point += 1) {
    // One in each part of the way, another one in each run of this test.
    await obtainAcross(1 + Math.floor(((point + Math.random()) * steps) / points));
  }
});
