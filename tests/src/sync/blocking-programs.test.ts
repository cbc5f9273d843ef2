/** The blocking client in programs of their own: how they end, in threads, in bundles. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workspace } from '../docs/documents.js';
import { runSnippet } from '../docs/snippets.js';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { startOtherServer, type OtherServer } from './server.js';

let files: CertificateFolder;
let server: OtherServer;
let built: string;
beforeAll(async () => {
  files = await createCertificateFolder();
  server = await startOtherServer(files.path);
  built = await mkdtemp(path.join(tmpdir(), 'knsock-built-'));
  await buildCore(path.join(built, 'node_modules/@knsock/core'));
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await files[Symbol.asyncDispose]();
  await rm(built, { recursive: true });
});

const run = async (code: string) => {
  const { stdout, stderr, ...ended } = await runSnippet(
    { name: 'blocking', code, output: undefined },
    { args: [String(server.port), files.at('ca.crt')] },
  );
  return { ...ended, stdout: stdout.trim(), stderr };
};

const START = `
  import { sendSslTcpMessageSync, startSslTcpServer } from '@knsock/core/kn-sock';
  const [, , port, cafile] = process.argv;
  const ask = (message, options) =>
    String(sendSslTcpMessageSync('localhost', Number(port), message, { cafile, until: 'first', ...options }));
`;

describe('a program that blocks', () => {
  it('ends when its own work is done, whatever is kept', async () => {
    const outcome = await run(`${START} console.log(ask('echo:one', { keep: true }), ask('echo:two'));`);
    expect(outcome).toEqual({ code: 0, stdout: 'one two', stderr: '' });
  });

  it('goes on to call after its worker was lost', async () => {
    const outcome = await run(`${START}
      import { createRequire, syncBuiltinESMExports } from 'node:module';
      const threads = createRequire(import.meta.url)('node:worker_threads');
      const started = [];
      threads.Worker = class extends threads.Worker {
        constructor(...parts) { super(...parts); started.push(this); }
      };
      syncBuiltinESMExports();
      ask('echo:one');
      await started[0].terminate();
      console.log(ask('echo:two'), started.length);
    `);
    expect(outcome).toEqual({ code: 0, stdout: 'two 2', stderr: '' });
  });
});

describe('the package as built', () => {
  const program = async (name: string, code: string): Promise<string> => {
    const file = path.join(built, name);
    await writeFile(file, code);
    return file;
  };
  const esm = `
    import { sendSslTcpMessageSync } from '@knsock/core/kn-sock';
    const [, , port, cafile, message = 'echo:built'] = process.argv;
    try {
      console.log(String(sendSslTcpMessageSync('localhost', Number(port), message, { cafile, until: 'first', timeout: 60_000 })));
    } catch ({ code, hint }) {
      console.log(code, hint);
    }
  `;
  const node = async (...args: string[]) => {
    const child = spawn(process.execPath, [...args, String(server.port), files.at('ca.crt')], { cwd: built });
    let stdout = '';
    child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
    await once(child, 'close');
    return stdout.trim();
  };

  it('works from an ES module and from require', async () => {
    expect(await node(await program('app.mjs', esm))).toBe('built');
    const cjs = esm.replace(/import (.*) from (.*);/, 'const $1 = require($2);');
    expect(await node(await program('app.cjs', cjs))).toBe('built');
  });

  it('works in a program with flags and hooks of its own', async () => {
    const hook = await program(
      'hook.mjs',
      `import { register } from 'node:module'; register('data:text/javascript,export const load = (url, context, next) => next(url, context);');`,
    );
    expect(
      await node(
        '--no-deprecation',
        '--import',
        `file://${hook}`,
        '--input-type=module',
        '-e',
        esm.replace('[, ,', '[,'),
        '--',
      ),
    ).toBe('built');
  });

  it('works in a worker thread, which may call a server of another thread of its process', async () => {
    const threads = `
      import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
      import { sendSslTcpMessageSync, startSslTcpServer } from '@knsock/core/kn-sock';
      const [, , port, cafile] = process.argv;
      const ask = (port, options) =>
        String(sendSslTcpMessageSync('localhost', port, 'echo:from a thread', { cafile, ...options }));
      if (isMainThread) {
        const [certfile, keyfile] = ['server.crt', 'server.key'].map((name) => cafile.replace('ca.crt', name));
        const answer = (data, addr, connection) => connection.sendall('in one process');
        const server = await startSslTcpServer(0, answer, { certfile, keyfile });
        const worker = new Worker(new URL(import.meta.url), {
          argv: [port, cafile],
          workerData: server.address.port,
        });
        worker.on('message', console.log).once('exit', () => server.close());
      } else {
        parentPort.postMessage([ask(Number(port), { until: 'first' }), ask(workerData, { until: 'end' })].join());
      }
    `;
    expect(await node(await program('threads.mjs', threads))).toBe('from a thread,in one process');
  });

  it('dies of a signal in the middle of a call, as it would anywhere else', async () => {
    const child = spawn(process.execPath, [
      await program('app.mjs', esm),
      String(server.port),
      files.at('ca.crt'),
      'tell:',
    ]);
    await server.told();
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([null, 'SIGTERM']);
  });

  it('works in a bundle with the worker beside it, and says what is missing without', async () => {
    const app = await program('app.mjs', esm);
    const bundle = (name: string, entry: Record<string, string>) =>
      build({
        config: false,
        silent: true,
        entry,
        outDir: path.join(built, name),
        format: ['esm'],
        platform: 'node',
        target: 'node20.19',
        noExternal: [/./],
        outExtension: () => ({ js: '.js' }),
      });
    await writeFile(path.join(built, 'package.json'), '{"type":"module"}');
    await bundle('bare', { app });
    expect(await node(path.join(built, 'bare/app.js'))).toMatch(
      /^KNSOCK_BLOCKING_WORKER .*@knsock\/core\/sync-worker/,
    );
    const worker = path.join(built, 'node_modules/@knsock/core/dist/sync-worker.js');
    await bundle('whole', { app, 'sync-worker': worker });
    expect(await node(path.join(built, 'whole/app.js'))).toBe('built');
  });
});

/** As `npm run build` does, types apart. */
async function buildCore(folder: string): Promise<void> {
  const source = path.join(workspace, 'packages/core');
  await mkdir(folder, { recursive: true });
  await copyFile(path.join(source, 'package.json'), path.join(folder, 'package.json'));
  await symlink(path.join(source, 'src'), path.join(folder, 'src'));
  const { default: config } = (await import(path.join(source, 'tsup.config.ts'))) as {
    default: { entry: Record<string, string> };
  };
  const entry = Object.fromEntries(
    Object.entries(config.entry).map(([name, file]) => [name, path.join(source, file)]),
  );
  await build({
    ...config,
    config: false,
    entry,
    dts: false,
    tsconfig: path.join(source, 'tsconfig.build.json'),
    silent: true,
    clean: false,
    outDir: path.join(folder, 'dist'),
  });
}
