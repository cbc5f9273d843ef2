/** A small disk of its own for a program in a mount namespace (`unshare -m`), which is filled up to some pages. */
import { execFile, execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PAGE = 4_096;

/** A disk that can be full. */
export interface SmallDisk {
  /** Uses it up but for some pages. */
  fill(free: number): void;
  /** Makes room again. */
  clear(): void;
}

/** Whether this machine lets us mount one. */
export async function canMount(): Promise<boolean> {
  return run('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).then(
    () => true,
    () => false,
  );
}

/** Runs a program of this folder in a mount namespace. @returns what it prints, as JSON */
export async function runMounting(program: string, args: readonly string[]): Promise<unknown> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const node = ['-C', '@knsock/source', '--import', import.meta.resolve('tsx'), file, ...args];
  const { stdout } = await run('unshare', ['-m', process.execPath, ...node], { timeout: 100_000 });
  return JSON.parse(stdout);
}

/** Mounts one at a folder; for such a program. */
export function mountSmallDisk(folder: string, size: string): SmallDisk {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  const file = join(folder, 'fill');
  return {
    fill: (free) => {
      fillUp(file, free);
    },
    clear: () => {
      rmSync(file);
    },
  };
}

function fillUp(file: string, free: number): void {
  const handle = openSync(file, 'w');
  const page = Buffer.alloc(PAGE);
  let pages = 0;
  try {
    for (;;) pages += writeSync(handle, page) / PAGE;
  } catch {
    closeSync(handle);
  }
  execFileSync('truncate', ['-s', String(Math.max(0, Math.floor(pages) - free) * PAGE), file]);
}
