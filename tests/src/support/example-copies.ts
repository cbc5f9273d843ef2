/**
 * The examples as those see them who copy them: in a folder outside the workspace, with our packages built beside them
 * and nothing of the sources. What they need of others is linked from the workspace.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** What a program did. */
export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** A folder with the built packages, where examples can be put and run. */
export class ExampleCopies implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(): Promise<ExampleCopies> {
    const folder = await mkdtemp(path.join(tmpdir(), 'knsock-examples-'));
    linkFolder(
      path.join(inject('programs'), 'node_modules/@knsock'),
      path.join(folder, 'node_modules/@knsock'),
    );
    return new ExampleCopies(folder);
  }

  /** Lays files in a folder of that name, and tells where it is. */
  lay(name: string, files: Readonly<Record<string, string>>): string {
    const to = path.join(this.#folder, name);
    mkdirSync(to);
    for (const [file, content] of Object.entries(files)) writeFileSync(path.join(to, file), content);
    return to;
  }

  /** Copies an example, and tells where it is. */
  copy(name: string): string {
    const [from, to] = [path.join(root, 'examples', name), path.join(this.#folder, name)];
    if (existsSync(to)) return to;
    mkdirSync(to);
    const files = readdirSync(from, { withFileTypes: true }).filter((file) => file.isFile());
    for (const { name: file } of files) copyFileSync(path.join(from, file), path.join(to, file));
    for (const dependency of Object.keys(manifestIn(from).dependencies ?? {})) {
      if (dependency.startsWith('@knsock/')) continue;
      linkFolder(path.join(from, 'node_modules', dependency), path.join(to, 'node_modules', dependency));
    }
    return to;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Runs `node …args` to its end, or until the test gives up. */
export async function runNode(
  cwd: string,
  args: readonly string[],
  { signal, env = {} }: { signal: AbortSignal; env?: Readonly<Record<string, string>> },
): Promise<Outcome> {
  // What vitest sets for its own processes would reach ours.
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...inherited } = process.env;
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...inherited, ...env },
    signal,
    killSignal: 'SIGKILL',
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  return { code: child.exitCode, output: Buffer.concat(chunks).toString() };
}

function linkFolder(from: string, to: string): void {
  mkdirSync(path.dirname(to), { recursive: true });
  symlinkSync(from, to, 'junction');
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
}
