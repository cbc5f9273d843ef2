/** Commands in process groups of their own, which the terminal's signals don't reach: they end with this process. */
import type { ChildProcess } from 'node:child_process';

const running = new Set<ChildProcess>();
const fatal = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Until the returned function is called, the command's group is killed when this process ends. */
export function endWithProcess(child: ChildProcess): () => void {
  if (running.size === 0) listen();
  running.add(child);
  return () => {
    running.delete(child);
    if (running.size === 0) unlisten();
  };
}

/** Kills a command and what it started. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || process.platform === 'win32') {
    child.kill();
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

function listen(): void {
  process.on('exit', killAll);
  for (const signal of fatal) process.on(signal, endBy);
}

function unlisten(): void {
  process.off('exit', killAll);
  for (const signal of fatal) process.off(signal, endBy);
}

function killAll(): void {
  for (const child of running) killGroup(child);
}

/** A server has a listener of its own, and lets what it has begun finish. */
function endBy(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  killAll();
  unlisten();
  process.kill(process.pid, signal);
}
