/** Programs of this folder as child processes that talk to their parent. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ServerReport } from './server.program.js';

export interface ProgramOptions {
  /** The most descriptors that it may have; absent: as many as this process. */
  readonly descriptors?: number;
}

/** Starts a program of this folder from its source. */
export function startProgram(name: string, args: readonly string[]): ChildProcess {
  const program = fileURLToPath(new URL(`${name}.program.ts`, import.meta.url));
  const node = [process.execPath, '-C', '@knsock/source', '--import', import.meta.resolve('tsx'), program];
  const [file, ...rest] = [...node, ...args];
  return spawn(file as string, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** The next thing that a program says. @throws where it ends instead */
export function hearFrom<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const heard = (message: T): void => {
      child.off('exit', ended);
      resolve(message);
    };
    const ended = (code: number | null): void => {
      child.off('message', heard);
      reject(new Error(`the program ended with code ${String(code)}`));
    };
    child.once('message', heard).once('exit', ended);
  });
}

/** A low limit only once it runs: reading its sources, Node opens many at once. */
export async function limitDescriptors({ pid }: ChildProcess, most: number): Promise<void> {
  await promisify(execFile)('prlimit', [`--nofile=${most}:${most}`, '--pid', String(pid)]);
}

export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly child: ChildProcess;

  /** @param folder certificates, as `createCertificateFolder` makes them */
  static async start(folder: string, options: object = {}, limits?: ProgramOptions): Promise<ServerProcess> {
    const child = startProgram('server', [folder, JSON.stringify(options)]);
    const { port } = await hearFrom<{ port: number }>(child);
    if (limits?.descriptors !== undefined) await limitDescriptors(child, limits.descriptors);
    return new ServerProcess(child, port);
  }

  private constructor(child: ChildProcess, port: number) {
    this.child = child;
    this.port = port;
  }

  async report(): Promise<ServerReport> {
    this.child.send('report');
    return hearFrom<ServerReport>(this.child);
  }

  /** Lets it drain, and tells what it had done. */
  async terminate(): Promise<ServerReport> {
    const report = hearFrom<ServerReport>(this.child);
    this.child.kill('SIGTERM');
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}
