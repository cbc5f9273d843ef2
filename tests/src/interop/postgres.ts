/** A PostgreSQL server of our own: in a temporary folder, on a Unix socket and a free port, without rules. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './program.js';

export interface Postgres extends AsyncDisposable {
  readonly port: number;
  /** The Unix socket. */
  readonly socket: string;
  /** Ends it as an operator does, cutting off its clients, and starts it again. */
  restart(): Promise<void>;
}

/** Files for its own TLS. */
export interface PostgresTls {
  readonly cert: string;
  readonly key: string;
}

/** Where the server's programs are: Debian keeps them off the path. */
export function postgresPrograms(): string | undefined {
  const root = '/usr/lib/postgresql';
  try {
    const versions = readdirSync(root).sort((a, b) => Number(a) - Number(b));
    return path.join(root, versions.at(-1) ?? '', 'bin');
  } catch {
    return undefined;
  }
}

export async function startPostgres(tls?: PostgresTls): Promise<Postgres> {
  const programs = postgresPrograms() ?? '';
  const folder = mkdtempSync(path.join(tmpdir(), 'knsock-postgres-'));
  const data = path.join(folder, 'data');
  if (isRoot) chownSync(folder, ...owner());
  const initdb = asPostgres(path.join(programs, 'initdb'), [
    '-D',
    data,
    '-A',
    'trust',
    '-U',
    'app',
    '--no-sync',
    '-E',
    'UTF8',
    '--no-locale',
  ]);
  execFileSync(initdb.program, initdb.args, { stdio: 'ignore', cwd: '/' });
  if (tls !== undefined) giveTls(data, tls);
  const port = await freePort();
  const settings = ['-D', data, '-k', folder, '-h', '127.0.0.1', '-p', String(port), '-F'];
  const server = asPostgres(path.join(programs, 'postgres'), settings);
  const launch = async (): Promise<ChildProcess> => {
    const child = spawn(server.program, server.args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/' });
    await listening(child);
    return child;
  };
  let child = await launch();
  return {
    port,
    socket: path.join(folder, `.s.PGSQL.${port}`),
    restart: async () => {
      await stop(child, 'SIGINT'); // fast shutdown
      child = await launch();
    },
    [Symbol.asyncDispose]: async () => {
      await stop(child, 'SIGQUIT'); // immediate shutdown
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** setpriv becomes the server, so the signal reaches it. */
async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
}

const isRoot = process.getuid?.() === 0;

/** PostgreSQL refuses to run as root. */
function asPostgres(program: string, args: string[]): { program: string; args: string[] } {
  if (!isRoot) return { program, args };
  const [user, group] = owner();
  return {
    program: 'setpriv',
    args: [`--reuid=${user}`, `--regid=${group}`, '--clear-groups', program, ...args],
  };
}

function owner(): [number, number] {
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return [id('-u'), id('-g')];
}

function giveTls(data: string, { cert, key }: PostgresTls): void {
  const [to, secret] = [path.join(data, 'server.crt'), path.join(data, 'server.key')];
  copyFileSync(cert, to);
  copyFileSync(key, secret);
  chmodSync(secret, 0o600);
  if (isRoot) for (const file of [to, secret]) chownSync(file, ...owner());
  appendFileSync(path.join(data, 'postgresql.conf'), 'ssl = on\n');
  // Nobody comes in over TCP without TLS.
  writeFileSync(path.join(data, 'pg_hba.conf'), 'local all all trust\nhostssl all all 127.0.0.1/32 trust\n');
}

async function listening(child: ChildProcess): Promise<void> {
  let said = '';
  for await (const piece of child.stderr as AsyncIterable<Buffer>) {
    said += piece.toString();
    if (said.includes('ready to accept connections')) break;
  }
  if (!said.includes('ready to accept connections')) throw new Error(`PostgreSQL didn't start: ${said}`);
}
