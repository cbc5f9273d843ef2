// @ts-check
// `npm start`: a server, a client that is killed in the middle of a file, and one that goes on from there.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { makeCertificates } from './certificates.mjs';

process.chdir(await mkdtemp(`${tmpdir()}/knsock-files-`));
await makeCertificates('certs', ['alice']);
await writeFile('big.img', 'a file of 256 MiB');
await truncate('big.img', 256 * 1_024 * 1_024);

const server = run('server.mjs', '0');
const port = /\d+/.exec(String(await once(server.stdout, 'data')))?.[0] ?? '';
const killed = run('client.mjs', port, 'certs', 'alice', 'send', 'big.img');
killed.stdout.on('data', (text) => / 50 %/.test(String(text)) && killed.kill('SIGKILL'));
await once(killed, 'exit');
console.log('the client was killed; the next one goes on:');
const [code] = await once(run('client.mjs', port, 'certs', 'alice', 'send', 'big.img'), 'exit');
server.kill('SIGTERM');
await rm(process.cwd(), { recursive: true });
process.exitCode = code;

/** @param {string} program @param {string[]} args */
function run(program, ...args) {
  const child = fork(new URL(program, import.meta.url), args, { silent: true });
  child.stdout?.pipe(process.stdout);
  child.stderr?.pipe(process.stderr);
  return /** @type {import('node:child_process').ChildProcessWithoutNullStreams} */ (child);
}
