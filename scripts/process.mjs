// Runs other programs: the workspace's own commands first in PATH, and a time limit that ends the whole process group.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the workspace. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const windows = process.platform === 'win32';

/**
 * Runs a program to its end and never rejects.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd] default: the workspace
 * @param {Record<string, string>} [options.env] beside the environment of this process
 * @param {number} [options.timeout] milliseconds; off by default
 * @param {'pass' | 'keep' | 'both'} [options.print] where what it prints goes: to the terminal (the default), into
 *   `output`, or both
 * @returns {Promise<{ code: number, timedOut: boolean, output: string }>}
 */
export function execute(command, args, { cwd = root, env = {}, timeout, print = 'pass' } = {}) {
  const group = !windows && timeout !== undefined; // of its own, so that a time-out ends grandchildren too
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, PATH: searchPath(), ...env },
    stdio: print === 'pass' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    shell: windows, // npx and the commands of node_modules/.bin are .cmd files there
    detached: group,
  });
  return ended(child, gather(child, print === 'both'), { group, timeout });
}

function searchPath() {
  const folders = [path.join(root, 'node_modules', '.bin'), path.dirname(process.execPath), process.env.PATH];
  return folders.join(path.delimiter);
}

function gather(child, passOn) {
  const chunks = [];
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    from?.on('data', (chunk) => {
      chunks.push(chunk);
      if (passOn) to.write(chunk);
    });
  }
  return chunks;
}

async function ended(child, chunks, { group, timeout }) {
  let stopped;
  const stop = (why, signal) => {
    stopped = why;
    send(group ? -child.pid : child.pid, signal);
  };
  const interrupt = (signal) => stop('interrupted', signal);
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const timer = timeout === undefined ? undefined : setTimeout(stop, timeout, 'timed out', 'SIGKILL');
  const code = await exitCode(child, chunks);
  clearTimeout(timer);
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  if (stopped === 'interrupted') process.exit(130); // after an interrupt there is no next step, and no second try
  return { code, timedOut: stopped === 'timed out', output: Buffer.concat(chunks).toString() };
}

function exitCode(child, chunks) {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      chunks.push(Buffer.from(`${error.message}\n`));
      resolve(127);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended already
  }
}
