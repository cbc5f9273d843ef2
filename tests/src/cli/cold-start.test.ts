// What a short command loads; how long it takes is in docs/cli.md, measured on a quiet machine.
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, knsockCommand, startServe, type Ended } from '../support/command.js';

const run = promisify(execFile);

let files: CertificateFolder;
let spy: string;
let seen: string;
beforeAll(async () => {
  files = await createCertificateFolder();
  seen = files.at('seen.json');
  const program = `process.on('exit', () => {
    const loaded = { files: Object.keys(require.cache), builtins: process.moduleLoadList };
    require('node:fs').writeFileSync(${JSON.stringify(seen)}, JSON.stringify(loaded));
  });`;
  spy = await files.write('spy.cjs', program);
});
afterAll(() => files[Symbol.asyncDispose]());

it('prints its version from its manifest and loads nothing else', async () => {
  const { names, builtins } = await loaded(['--version']);
  expect(names).toEqual(['knsock.cjs', 'package.json']);
  for (const name of ['net', 'tls', 'crypto', 'child_process']) expect(builtins).not.toContain(name);
});

it('sends from one file, without the code that serves, proxies, checks or makes certificates', async () => {
  const { serve, address } = await startEcho();
  await using _ = serve;
  const { names, builtins } = await loaded(['send', address, 'hello', '--ca', files.at('ca.crt')]);
  expect(names).toEqual(['knsock.cjs', 'compiled.cjs']);
  for (const name of ['http', 'readline', 'worker_threads', 'child_process', 'perf_hooks', 'fs/promises']) {
    expect(builtins).not.toContain(name);
  }
  const map = path.join(path.dirname(knsockCommand[1]), '../dist/send.cjs.map');
  const { sources } = JSON.parse(await readFile(map, 'utf8')) as { sources: string[] };
  expect(sources.filter((file) => /cli\/src\/sending\/send\.ts$/.test(file))).toHaveLength(1);
  const rest = /\/(core\/src\/server|certs\/src|src\/(serving|proxying|check))\//;
  expect(sources.filter((file) => rest.test(file))).toEqual([]);
});

describe.skipIf(process.geteuid === undefined)('what was compiled', () => {
  it('is stored only for its user by the first successful run, and used by the next ones', async () => {
    const { serve, address } = await startEcho();
    await using _ = serve;
    const send = sendKeeping(await freshCache(), address);
    expect((await send([])).code).toBe(60); // without --ca it fails, and used little of the file
    expect(await send.kept()).toBeNull();
    expect(await send(ca())).toMatchObject({ code: 0, stdout: 'hello\n' });
    const first = await send.kept();
    expect(first?.mode).toBe(0o600);
    expect(await send(ca())).toMatchObject({ code: 0, stdout: 'hello\n' });
    expect(await send.kept()).toEqual(first);
  });

  it("is replaced if it's damaged or others could have written it", async () => {
    const { serve, address } = await startEcho();
    await using _ = serve;
    const send = sendKeeping(await freshCache(), address);
    await send(ca());
    for (const harm of [
      (file: string) => chmod(file, 0o666),
      (file: string) => truncate(file, 10),
      async (file: string) => writeFile(file, (await readFile(file)).fill(0x2a, 1_000, 9_000)),
    ]) {
      await harm(send.file);
      const harmed = await send.kept();
      expect(await send(ca())).toMatchObject({ code: 0, stdout: 'hello\n', stderr: '' });
      const replaced = await send.kept();
      expect(replaced?.inode).not.toBe(harmed?.inode);
      expect(replaced?.mode).toBe(0o600);
      expect(replaced?.size).toBeGreaterThan(100_000);
    }
  });

  it("isn't stored where others could replace it, where it can't be written, or if Node's cache is disabled", async () => {
    const { serve, address } = await startEcho();
    await using _ = serve;
    const open = await freshCache();
    await chmod(path.dirname(open), 0o777);
    const blocked = await freshCache();
    await writeFile(blocked, 'a file, not a folder');
    const settings = [{ XDG_CACHE_HOME: open }, { XDG_CACHE_HOME: blocked }, {}];
    for (const env of settings) {
      const send = sendKeeping(await freshCache(), address);
      const ended = await send(ca(), { NODE_DISABLE_COMPILE_CACHE: env.XDG_CACHE_HOME ? '' : '1', ...env });
      expect(ended).toMatchObject({ code: 0, stdout: 'hello\n', stderr: '' });
      expect(await send.kept()).toBeNull();
    }
    expect(await readdir(path.dirname(open))).toEqual([]);
  });
});

const ca = (): string[] => ['--ca', files.at('ca.crt')];

function startEcho(): ReturnType<typeof startServe> {
  return startServe(['--cert', files.at('server.crt'), '--key', files.at('server.key')]);
}

/** A folder for XDG_CACHE_HOME that isn't there yet, in one accessible only to its user. */
async function freshCache(): Promise<string> {
  return path.join(await mkdtemp(files.at('home-')), 'cache');
}

function sendKeeping(cache: string, address: string) {
  const file = path.join(cache, 'knsock', `send-${process.version}-${process.arch}`);
  const send = (args: string[], env: Record<string, string> = {}): Promise<Ended> =>
    knsock(['send', address, 'hello', ...args], { env: { XDG_CACHE_HOME: cache, ...env } });
  const kept = async (): Promise<{ inode: number; mode: number; size: number } | null> => {
    const found = await stat(file).catch(() => null);
    return found && { inode: found.ino, mode: found.mode & 0o777, size: found.size };
  };
  return Object.assign(send, { file, kept });
}

/** The files and the builtin modules that the command has loaded when it ends. */
async function loaded(args: string[]): Promise<{ names: string[]; builtins: string[] }> {
  await run(knsockCommand[0], ['--require', spy, ...knsockCommand.slice(1), ...args]);
  const all = JSON.parse(await readFile(seen, 'utf8')) as { files: string[]; builtins: string[] };
  const names = all.files.map((file) => path.basename(file)).filter((name) => name !== 'spy.cjs');
  const builtins = all.builtins.flatMap((name) => /^NativeModule (.*)$/.exec(name)?.[1] ?? []);
  return { names, builtins };
}
