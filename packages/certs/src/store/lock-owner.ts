/** Who holds a ticket of a lock between processes, and whether that process lives. */
import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** A process, as it stands in the name of its ticket. */
export interface Owner {
  readonly host: string;
  readonly pid: number;
  /** When the process started, in the kernel's ticks: a pid comes back, both together don't. '0' where unknown. */
  readonly start: string;
}

/** This process. */
export async function thisOwner(): Promise<Owner> {
  return { host: await thisHost(), pid: process.pid, start: await startOf(process.pid) };
}

/** Whether the owner's pid means something here. */
export async function isLocal({ host }: Owner): Promise<boolean> {
  return host === (await thisHost());
}

/** Whether a process of this host still lives. */
export async function isRunning({ pid, start }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = await startOf(pid);
  return now === '0' || start === '0' || now === start;
}

let knownHost: Promise<string> | undefined;

/** Containers may share a machine's name, and each counts its processes from 1: the namespace of pids tells. */
function thisHost(): Promise<string> {
  return (knownHost ??= readlink('/proc/self/ns/pid')
    .catch(() => '')
    .then((namespace) =>
      createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 8),
    ));
}

/** Field 22 of /proc/PID/stat, counted after the command, which may hold spaces; '0' where there is no /proc. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
}
