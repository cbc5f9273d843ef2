// @ts-check
// All the parts as processes: `database` or an embedded one, the server of named queries, and `knsock proxy` twice.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const { resolve } = createRequire(import.meta.url);
const cli = resolve('@knsock/cli/package.json');
const knsock = join(dirname(cli), JSON.parse(readFileSync(cli, 'utf8')).bin.knsock);

/** Starts a program of Node, and resolves with what it tells when it is ready. @param {string[]} args @param {RegExp} told @param {NodeJS.ProcessEnv} [env] */
export async function start(args, told, env) {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill());
  const ended = new AbortController();
  child.once('exit', () => ended.abort(new Error(`${args[0]} ended`)));
  const { signal } = ended;
  setTimeout(() => ended.abort(new Error(`${args[0]} took over a minute to start`)), 60_000).unref();
  let said = '';
  child.stdout.on('data', (text) => (said += String(text)));
  let match;
  while (!(match = told.exec(said))) await once(child.stdout, 'data', { signal });
  return { child, told: match[1] ?? '' };
}

export function startEmbedded() {
  return start([join(here, 'embedded.mjs')], /(postgres:\S+)/);
}

/** @param {string} database @param {string} certificates @param {string} [port] */
export function startServer(database, certificates, port = '0') {
  return start([join(here, 'server.mjs'), port, certificates], /(\d+)/, { DATABASE_URL: database });
}

/** Before the database: TLS in, from `knsock proxy client` or any PostgreSQL client; plain out. @param {string} database @param {string} certificates @param {readonly string[]} clients */
export function startProxyServer(database, certificates, clients) {
  const { hostname, port } = new URL(database);
  const allow = clients.flatMap((name) => ['--allow-cn', name]);
  return startProxy('server', `${hostname}:${port || '5432'}`, certificates, 'server', allow);
}

/** Beside the PostgreSQL client: plain in, TLS out. @param {string} port @param {string} certificates @param {string} name */
export function startProxyClient(port, certificates, name) {
  return startProxy('client', `localhost:${port}`, certificates, name);
}

/** @param {'server' | 'client'} side @param {string} target @param {string} certificates @param {string} name @param {string[]} more */
function startProxy(side, target, certificates, name, more = []) {
  const issued = join(certificates, 'issued', name);
  const files = [
    '--cert',
    `${issued}.crt`,
    '--key',
    `${issued}.key`,
    '--ca',
    join(certificates, 'ca', 'root.crt'),
  ];
  const where = ['--listen', '127.0.0.1:0', '--target', target, '--postgres', '--json'];
  return start([knsock, 'proxy', side, ...where, ...files, ...more], /"listening".*"port":(\d+)/);
}
