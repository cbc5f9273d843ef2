/** An authority's process that is killed in the middle of an enrolment, at any step. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { enroll, openStore, type Enrolled, type Store } from '@knsock/certs';
import { createToken, formatToken, listTokens, rootOf } from '@knsock/certs/authority-server';
import { parseCertificate } from '@knsock/core/x509';
import { afterAll, beforeAll, expect, it } from 'vitest';

const program = fileURLToPath(new URL('authority-killed.program.ts', import.meta.url));
/** How many of all the steps a process dies at; KNSOCK_FAULTS=full takes each. */
const POINTS = process.env['KNSOCK_FAULTS'] === 'full' ? Infinity : 4;

let folder: string;
let store: Store;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-authority-killed-'));
  store = await openStore(join(folder, 'store'));
  await store.createAuthority({ commonName: 'Root' });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let port = 0;

interface Started {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
  readonly exited: Promise<unknown[]>;
}

/** The program, once it listens; on the same port each time, since the token contains it. */
async function start(last: number): Promise<Started> {
  const node = ['-C', '@knsock/source', '--import', import.meta.resolve('tsx'), program, store.directory];
  const child = spawn(process.execPath, [...node, String(port), String(last)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const exited = once(child, 'exit');
  const { value } = (await lines.next()) as { value: string };
  port = Number(/^port (\d+)$/.exec(value)?.[1]);
  return { child, lines, exited };
}

async function stop({ child, lines, exited }: Started): Promise<number> {
  child.kill('SIGTERM');
  const { value } = (await lines.next()) as { value: string };
  await exited;
  return Number(/^steps (\d+)$/.exec(value)?.[1]);
}

/** Enrols a new name while the server dies at a step, and again with the same token at one that lives. */
async function enrolAcross(step: number, name: string): Promise<number> {
  const dying = await start(step);
  const secret = await createToken(store.directory, { names: [name] });
  const token = formatToken({
    ...{ address: `localhost:${port}`, kind: 'client', names: [name] },
    root: rootOf(await store.chain()),
    ...secret,
  });
  const dir = join(folder, name);
  const first: Enrolled | undefined = await enroll({ token, dir, timeout: 20_000 }).catch(() => undefined);
  const isDead = first === undefined || dying.child.signalCode !== null;
  const steps = isDead ? 0 : await stop(dying);
  if (isDead) expect((await dying.exited)[1]).toBe('SIGKILL');
  const living = await start(-1);
  const { serial, certFile } = await enroll({ token, dir, timeout: 20_000 });
  if (first !== undefined) expect(serial).toBe(first.serial);
  await stop(living);
  await expectOne(name, secret.id, serial, certFile);
  return steps;
}

/** One certificate was issued for the token, whatever happened, and the journal records which. */
async function expectOne(name: string, id: string, serial: string, certFile: string): Promise<void> {
  const token = (await listTokens(store.directory)).find((one) => one.id === id);
  expect(token?.enrolled.map((one) => one.serial)).toEqual([serial]);
  const archive = join(store.directory, 'issued/serials');
  const all = (await readdir(archive)).filter((file) => file.endsWith('.crt'));
  const pems = await Promise.all(all.map((file) => readFile(join(archive, file), 'utf8')));
  const given = pems.map((pem) => parseCertificate(pem)).filter(({ dnsNames }) => dnsNames.includes(name));
  expect(given.map((one) => one.serial)).toEqual([serial]);
  expect((await store.find({ serial }))?.names).toEqual([name]);
  expect(await readFile(certFile, 'utf8')).toBe(given[0]?.pem);
}

it('issues one certificate for a token wherever its process is killed', { timeout: 1_200_000 }, async () => {
  const steps = await enrolAcross(-1, 'whole.example');
  expect(steps).toBeGreaterThan(20);
  const points = Math.min(POINTS, steps);
  for (let point = 0; point < points; point += 1) {
    // One in each part of the way, another one in each run of this test.
    const step = 1 + Math.floor(((point + Math.random()) * steps) / points);
    await enrolAcross(step, `step-${step}-${point}.example`);
  }
});
