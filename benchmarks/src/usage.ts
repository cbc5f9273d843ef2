/** How much CPU time a process has used, and how long it was ready to run while others had the core. */
import { readdirSync, readFileSync } from 'node:fs';

/** Nanoseconds since the process began, all of its threads together. */
export interface Usage {
  readonly cpu: number;
  readonly waiting: number;
}

/** Of a process and its children, those that ended included: socat forks for each connection. Linux only. */
export function usageOf(pid: number): Usage {
  let cpu = cpuOfEnded(pid);
  let waiting = 0;
  for (const id of [pid, ...childrenOf(pid)]) {
    for (const thread of readdirSync(`/proc/${id}/task`)) {
      const [ran = 0, waited = 0] = numbersIn(`/proc/${id}/task/${thread}/schedstat`);
      cpu += ran;
      waiting += waited;
    }
  }
  return { cpu, waiting };
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const [, pages = 0] = numbersIn(`/proc/${pid}/statm`);
  return pages * 4_096;
}

/** What the system counted for children that ended, to a hundredth of a second. */
function cpuOfEnded(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which may contain anything: the 16th and 17th fields of the line.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 1e7;
}

function childrenOf(pid: number): number[] {
  return numbersIn(`/proc/${pid}/task/${pid}/children`);
}

/** A thread may end between being listed and being read: it counts for nothing then. */
function numbersIn(file: string): number[] {
  try {
    const words = readFileSync(file, 'utf8').trim();
    return words === '' ? [] : words.split(/\s+/).map(Number);
  } catch {
    return [];
  }
}
