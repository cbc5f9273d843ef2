/** The process that holds a ticket of an inter-process lock, and whether it is alive. */
import { createHash, randomBytes } from 'node:crypto';
import { readFile, readlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** A process, as encoded in the name of its ticket. */
export interface Owner {
  readonly host: string;
  readonly pid: number;
  /** When the process started, in the kernel's ticks: a pid is reused, both together aren't. '0' if unknown. */
  readonly start: string;
}

/** This process. */
export async function thisOwner(): Promise<Owner> {
  return { host: await thisHost(), pid: process.pid, start: await startOf(process.pid) };
}

/** Whether the owner's pid is valid on this host. */
export async function isLocal({ host }: Owner): Promise<boolean> {
  return host === (await thisHost());
}

/** Whether a process of this host is still alive. */
export async function isRunning({ pid, start }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = await startOf(pid);
  return now === '0' || start === '0' || now === start;
}

let knownHost: Promise<string> | undefined;

function thisHost(): Promise<string> {
  return (knownHost ??= hostParts().then(hostName));
}

/** The 8 hex digits that identify a host in tickets. */
export function hostName(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 8);
}

/**
 * Distinguishes two hosts whose pids mean different processes. Host names don't: clones and containers share them.
 * The kernel gives each boot a random name, and each container counts its processes in a namespace of its own; where there is
 * no such kernel, a name is kept in the folder for temporary files, which machines don't share.
 */
export async function hostParts(): Promise<readonly string[]> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  if (boot.trim() === '') return [hostname(), await nameOfOurs()];
  return [boot.trim(), await readlink('/proc/self/ns/pid').catch(() => '')];
}

/** Made by the first process that asks. If it can't be stored it is this process's own; others then rely on its touches. */
async function nameOfOurs(): Promise<string> {
  const file = join(tmpdir(), `knsock-host-${userInfo().uid}`);
  const made = randomBytes(16).toString('hex');
  await writeFile(file, made, { flag: 'wx', mode: 0o600 }).catch(() => undefined);
  const kept = await readFile(file, 'utf8').catch(() => '');
  return kept.length === made.length ? kept : made;
}

/** Field 22 of /proc/PID/stat, counted after the command, which may contain spaces; '0' without /proc. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
}
