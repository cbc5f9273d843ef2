/** Benchmarks that are programs of their own: one process, no network. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NAMES = ['pool', 'certs', 'blocking'] as const;

/** Those that there are. */
export const standalone: readonly string[] = NAMES.filter((name) => existsSync(fileOf(name)));

/** They print their own report, and exit with 1 where a target was missed. */
export async function runStandalone(name: string, rounds: number): Promise<void> {
  const child = spawn(process.execPath, [fileOf(name), String(rounds)], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0 && code !== 1) throw new Error(`${name} ended with ${String(code)}`);
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`./${name}.js`, import.meta.url));
}
