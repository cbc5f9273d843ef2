/** What a process holds at this moment. */
import { readdirSync } from 'node:fs';
import { collectGarbage } from '../support/collect-garbage.js';

export interface ProcessState {
  /** Open descriptors; −1 where the system doesn't tell. */
  readonly descriptors: number;
  /** Bytes on V8's heap and beside it, after garbage was collected. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** Processor time since the start, in milliseconds. */
  readonly cpuMs: number;
}

export function processState(): ProcessState {
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    descriptors: descriptors(),
    heapBytes: heapUsed + external,
    residentBytes: rss,
    cpuMs: (user + system) / 1_000,
  };
}

/** Those that the count itself needs are in it each time. */
function descriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return -1;
  }
}
