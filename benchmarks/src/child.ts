/** Programs under measurement and their load: child processes, each pinned to a core. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The measured process has one core to itself, as far as the machine allows; the load generator the other. */
export const cores = { subject: 0, load: 1, flood: 1 } as const;
export type Core = keyof typeof cores;

const PATIENCE_MS = 120_000;
const END_MS = 5_000;
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  #errors = '';

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#process = child;
    alive.add(child);
    child.once('exit', () => alive.delete(child));
    child.stderr?.on(
      'data',
      (chunk: Buffer) => (this.#errors = (this.#errors + chunk.toString()).slice(-2_000)),
    );
  }

  /** A program of ours, built, on plain Node; it answers to `ask`. */
  static node(
    core: Core,
    program: 'load/load' | 'subject/subject' | 'subject/packages',
    name: string,
  ): Child {
    const file = fileURLToPath(new URL(`./${program}.js`, import.meta.url));
    const command = [process.execPath, '--expose-gc', ...extraFlags(core), file];
    return new Child(name, spawnPinned(core, command, ['ignore', 'inherit', 'pipe', 'ipc']));
  }

  /** Any other program. */
  static async other(command: readonly string[], name: string): Promise<Child> {
    const child = new Child(name, spawnPinned('subject', command, ['ignore', 'pipe', 'pipe']));
    await once(child.#process, 'spawn');
    return child;
  }

  /** The first line that another program prints. */
  async firstLine(): Promise<string> {
    const { stdout } = this.#process;
    if (stdout === null) throw new Error(`${this.name} prints nothing`);
    for await (const line of createInterface({ input: stdout })) return line;
    throw new Error(`${this.name} ended: ${this.#errors}`);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Sends a request and resolves with its answer; one at a time. */
  async ask<Answer>(request: object): Promise<Answer> {
    const [answer] = await this.#answerTo(request);
    const { error } = answer as { error?: string };
    if (error !== undefined) throw new Error(`${this.name}: ${error}`);
    return answer as Answer;
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    const impatience = setTimeout(() => this.#process.kill('SIGKILL'), END_MS);
    // A program of ours exits by itself then, and writes its profile if it was asked for one.
    if (this.#process.connected) this.#process.disconnect();
    else this.#process.kill('SIGKILL');
    await ended;
    clearTimeout(impatience);
  }

  async #answerTo(request: object): Promise<unknown[]> {
    const patience = new AbortController();
    const { signal } = patience;
    const impatience = setTimeout(() => {
      patience.abort(new Error(`${this.name} didn't answer in ${PATIENCE_MS} ms`));
    }, PATIENCE_MS);
    const gone = (): void => {
      patience.abort(new Error(`${this.name} ended: ${this.#errors}`));
    };
    this.#process.once('exit', gone);
    try {
      const answered = once(this.#process, 'message', { signal });
      this.#process.send(request);
      return (await answered) as unknown[];
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      clearTimeout(impatience);
      this.#process.off('exit', gone);
    }
  }
}

/** As many descriptors as this user may have: ten thousand connections need them. */
function spawnPinned(
  core: Core,
  command: readonly string[],
  stdio: ('ignore' | 'inherit' | 'pipe' | 'ipc')[],
) {
  // Who floods gives way to who is patient, as on a core of its own.
  const niceness = core === 'flood' ? 'nice -n 15' : '';
  const script = `ulimit -n "$(ulimit -Hn)"; exec taskset -c "$0" ${niceness} "$@"`;
  return spawn('sh', ['-c', script, String(cores[core]), ...command], { stdio });
}

/** `KNSOCK_BENCH_FLAGS=--cpu-prof` profiles what is measured. */
function extraFlags(core: Core): string[] {
  const flags = core === 'subject' ? (process.env['KNSOCK_BENCH_FLAGS'] ?? '') : '';
  return flags.split(' ').filter((flag) => flag !== '');
}
