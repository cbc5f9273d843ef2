/** How much CPU time a process has used, and how long it was ready to run while others had the core. */
import { readdirSync, readFileSync } from 'node:fs';

/** Nanoseconds since the process began, all of its threads together. */
export interface Usage {
  readonly cpu: number;
  readonly waiting: number;
}

/** Of a process and its children: socat forks for each connection. Linux only. */
export function usageOf(pid: number): Usage {
  let cpu = 0;
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
