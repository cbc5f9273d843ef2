/** The beginning of the page, typed on two machines: network namespaces of their own, joined by a cable. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readDocument } from '../docs/documents.js';
import { knsockCommand } from '../support/command.js';
import { needsTools } from './tools.js';

const run = promisify(execFile);
const namespaces = ['a', 'b'].map((name) => `knsock-${process.pid}-${name}`);
const [first = '', second = ''] = namespaces;
let folder: string;
const running: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-machines-'));
});
afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill('SIGTERM');
    await once(child, 'close');
  }
  for (const name of namespaces) await run('ip', ['netns', 'del', name]).catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
});

it(
  'enrols two machines and sends a message between them in under a minute',
  { timeout: 240_000 },
  async (context) => {
    needsTools(context, 'ip');
    if (!(await cable())) context.skip('network namespaces need root');
    await writeFile(
      join(folder, 'knsock'),
      `#!/bin/sh\nexec ${knsockCommand.map((word) => `'${word}'`).join(' ')} "$@"\n`,
    );
    await chmod(join(folder, 'knsock'), 0o755);
    const [authority = '', tokens = '', machine = '', laptop = ''] = blocks();
    const [makeCa = '', serveCa = ''] = authority.split('\n');
    await on(first, 'authority', makeCa);
    await started(first, 'authority', serveCa);
    const began = performance.now();
    const printed = (await on(first, 'authority', tokens)).trim().split('\n');
    expect(printed).toHaveLength(2);
    const [enrolMachine = '', serve = ''] = machine.split('\n');
    const [enrolLaptop = '', send = ''] = laptop.split('\n');
    await on(second, 'machine', enrolMachine, printed[0]);
    await started(second, 'machine', serve);
    await on(first, 'laptop', enrolLaptop, printed[1]);
    expect(await on(first, 'laptop', send)).toBe('hello\n');
    expect(performance.now() - began).toBeLessThan(60_000);
  },
);

/** The first four blocks of the page. */
function blocks(): string[] {
  return [...readDocument('docs/enrolment.md').text.matchAll(/^```sh\n([^]*?)\n```/gm)].map(
    ([, text = '']) => text,
  );
}

/** 10.0.0.1 on one side, 10.0.0.2 on the other, as the page has them; false where that isn't allowed. */
async function cable(): Promise<boolean> {
  try {
    for (const name of namespaces) await run('ip', ['netns', 'add', name]);
  } catch {
    return false;
  }
  const inFirst = ['-n', first];
  await run('ip', [
    ...inFirst,
    'link',
    'add',
    'cable',
    'type',
    'veth',
    'peer',
    'name',
    'cable',
    'netns',
    second,
  ]);
  for (const [index, name] of namespaces.entries()) {
    await run('ip', ['-n', name, 'addr', 'add', `10.0.0.${index + 1}/24`, 'dev', 'cable']);
    for (const link of ['lo', 'cable']) await run('ip', ['-n', name, 'link', 'set', link, 'up']);
  }
  return true;
}

function shell(namespace: string, directory: string, line: string): ChildProcess {
  const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}`, HOME: folder };
  const words = ['netns', 'exec', namespace, 'sh', '-ec', line];
  return spawn('ip', words, { cwd: join(folder, directory), env, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** What the line prints, once it has ended well. */
async function on(namespace: string, directory: string, line: string, input = ''): Promise<string> {
  await mkdir(join(folder, directory), { recursive: true });
  const child = shell(namespace, directory, line);
  let [out, talk] = ['', ''];
  child.stdout?.on('data', (bytes: Buffer) => (out += bytes.toString()));
  child.stderr?.on('data', (bytes: Buffer) => (talk += bytes.toString()));
  child.stdin?.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  expect([code, talk]).toEqual([0, expect.any(String)]);
  return out;
}

/** A line that goes on, once it says that it listens. */
async function started(namespace: string, directory: string, line: string): Promise<void> {
  await mkdir(join(folder, directory), { recursive: true });
  const child = shell(namespace, directory, `exec ${line}`);
  running.push(child);
  let talk = '';
  const closed = once(child, 'close');
  child.stdout?.resume();
  while (!talk.includes('listening on')) {
    const [bytes] = (await Promise.race([
      once(child.stderr as NodeJS.ReadableStream, 'data'),
      closed,
    ])) as unknown[];
    if (!(bytes instanceof Buffer)) throw new Error(`it ended without listening: ${talk}`);
    talk += bytes.toString();
  }
}
