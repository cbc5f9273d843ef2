/** A real terminal, by tmux: what is typed into it and what it shows. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';

const run = promisify(execFile);

export interface TerminalOptions {
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A shell command in a terminal of its own; dispose of it to hang up. */
export class Terminal implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(command: string, { columns = 100, env = {} }: TerminalOptions = {}): Promise<Terminal> {
    const terminal = new Terminal(await mkdtemp(path.join(tmpdir(), 'knsock-terminal-')));
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    await terminal.#tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-x',
      String(columns),
      '-y',
      '40',
      ...variables,
      command,
    );
    return terminal;
  }

  /** Types text as it is. */
  async type(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', text);
  }

  /** Presses keys by tmux's names, such as `Enter`, `Up`, `C-d`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys);
  }

  /** What it shows now. */
  async screen(): Promise<string> {
    return (await this.#tmux('capture-pane', '-p', '-J', '-S', '-200')).stdout;
  }

  /** The same with colours and other attributes as escape sequences. */
  async colors(): Promise<string> {
    return (await this.#tmux('capture-pane', '-p', '-e', '-J')).stdout;
  }

  /** Waits until it shows that. */
  async shows(pattern: RegExp): Promise<RegExpMatchArray> {
    return await vi.waitFor(
      async () => {
        const screen = await this.screen();
        const match = pattern.exec(screen);
        if (match === null)
          throw new Error(`the terminal doesn't show ${pattern.source}:\n${screen.trimEnd()}`);
        return match;
      },
      { timeout: 20_000, interval: 100 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux('kill-server').catch(() => undefined); // it ends by itself with its last command
    await rm(this.#folder, { recursive: true, force: true });
  }

  #tmux(...args: string[]): Promise<{ stdout: string }> {
    const env = { ...process.env, TMUX: '', LC_ALL: 'C.UTF-8' };
    return run('tmux', ['-S', path.join(this.#folder, 'socket'), ...args], { env, timeout: 10_000 });
  }
}
