/** The `knsock` command as a child process, built from its source (`built-command.ts`). */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { inject } from 'vitest';

/** What runs the command: `[program, ...arguments]`, to be followed by the command's own. */
export const knsockCommand = [process.execPath, inject('knsock')] as const;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What standard input holds; it ends after that. */
  readonly input?: string | Uint8Array;
}

/** A command that runs; dispose of it to end it. */
export class Running implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown>;
  readonly #stdout: Buffer[] = [];
  #stderr = '';

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#ended = once(child, 'close');
    child.stdout.on('data', (bytes: Buffer) => this.#stdout.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => (this.#stderr += bytes.toString()));
    child.stdin.on('error', () => undefined);
  }

  get stdin(): ChildProcessWithoutNullStreams['stdin'] {
    return this.#child.stdin;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get output(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the first match in what either stream has said; rejects where the command ends without. */
  async says(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = pattern.exec(this.output.toString()) ?? pattern.exec(this.#stderr);
      if (match !== null) return match;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(
          `it ended without saying ${pattern.source}: ${this.output.toString()}${this.#stderr}`,
        );
      }
      const heard = new AbortController();
      const more = [this.#child.stdout, this.#child.stderr].map((stream) => once(stream, 'data', heard));
      await Promise.race([...more, this.#ended]);
      heard.abort();
    }
  }

  async ended(): Promise<Ended> {
    await this.#ended;
    return { code: this.#child.exitCode, stdout: this.output.toString(), stderr: this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

export function startKnsock(args: readonly string[], { cwd, env = {} }: RunOptions = {}): Running {
  const [program, ...rest] = knsockCommand;
  return new Running(spawn(program, [...rest, ...args], { cwd, env: cleanEnv(env) }));
}

export async function knsock(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  await using running = startKnsock(args, options);
  running.stdin.end(options.input);
  return await running.ended();
}

/** Starts `knsock serve` on a free port and resolves when it listens. */
export async function startServe(
  args: readonly string[],
  options: RunOptions = {},
): Promise<{ serve: Running; address: string }> {
  const serve = startKnsock(['serve', '--host', '127.0.0.1', '--port', '0', '--json', ...args], options);
  const [, port = ''] = await serve.says(/"event":"listening".*"port":(\d+)/);
  return { serve, address: `localhost:${port}` };
}

/** The environment without what would change how the command speaks; what it keeps for later goes with the build. */
function cleanEnv(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, TMPDIR, XDG_CACHE_HOME: path.join(knsockCommand[1], '../../cache'), ...extra };
}
