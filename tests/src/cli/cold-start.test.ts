// What a short command loads; how long it takes stands in docs/cli.md, measured on a quiet machine.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsockCommand, startServe } from '../support/command.js';

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

it('tells its version from its manifest and loads nothing else', async () => {
  const { names, builtins } = await loaded(['--version']);
  expect(names).toEqual(['knsock.cjs', 'package.json']);
  for (const name of ['net', 'tls', 'crypto', 'child_process']) expect(builtins).not.toContain(name);
});

it('sends from one file, without what serves, proxies, checks or makes certificates', async () => {
  const { serve, address } = await startServe([
    '--cert',
    files.at('server.crt'),
    '--key',
    files.at('server.key'),
  ]);
  await using _ = serve;
  const { names, builtins } = await loaded(['send', address, 'hello', '--ca', files.at('ca.crt')]);
  expect(names).toEqual(['knsock.cjs', 'send.cjs']);
  for (const name of ['http', 'readline', 'worker_threads']) expect(builtins).not.toContain(name);
  const map = path.join(path.dirname(knsockCommand[1]), '../dist/send.cjs.map');
  const { sources } = JSON.parse(await readFile(map, 'utf8')) as { sources: string[] };
  expect(sources.filter((file) => /cli\/src\/sending\/send\.ts$/.test(file))).toHaveLength(1);
  expect(
    sources.filter((file) => /core\/src\/server\/|packages\/certs|serving|proxying|check\//.test(file)),
  ).toEqual([]);
});

/** The files and the builtin modules that the command has loaded when it ends. */
async function loaded(args: string[]): Promise<{ names: string[]; builtins: string[] }> {
  await run(knsockCommand[0], ['--require', spy, ...knsockCommand.slice(1), ...args]);
  const all = JSON.parse(await readFile(seen, 'utf8')) as { files: string[]; builtins: string[] };
  const names = all.files.map((file) => path.basename(file)).filter((name) => name !== 'spy.cjs');
  const builtins = all.builtins.flatMap((name) => /^NativeModule (.*)$/.exec(name)?.[1] ?? []);
  return { names, builtins };
}
