/** Where and when a run was made: without it a figure means nothing. */
import os from 'node:os';

export interface Machine {
  readonly date: string;
  readonly node: string;
  readonly openssl: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Processes ready to run, on average over the last minute, before we began: over 0.5 the machine isn't quiet. */
  readonly loadBefore: number;
}

export function machine(): Machine {
  const cpus = os.cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    openssl: process.versions.openssl ?? '',
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    loadBefore: os.loadavg()[0] ?? NaN,
  };
}
