/** Processes that die by SIGKILL at their n-th step on the file system, right before the step is done. */
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

type Method = (...args: unknown[]) => unknown;

/** The steps of this process since it began to count. */
export interface Steps {
  begin(): void;
  count(): number;
}

/**
 * Call it before anything that imports node:fs/promises is loaded.
 * @param last the step that isn't done any more; -1: all are
 */
export async function countSteps(last: number): Promise<Steps> {
  let steps = 0;
  let begun = false;
  const step = (): void => {
    if (!begun) return;
    steps += 1;
    if (steps === last) process.kill(process.pid, 'SIGKILL');
  };
  const counted = (owner: object, names: readonly string[]): void => {
    const methods = owner as Record<string, Method>;
    for (const name of names) {
      const original = methods[name] as Method;
      methods[name] = function (this: unknown, ...args: unknown[]) {
        step();
        return Reflect.apply(original, this, args);
      };
    }
  };
  const handle = await promises.open(process.execPath, 'r');
  counted(Object.getPrototypeOf(handle) as object, [
    'appendFile',
    'writeFile',
    'truncate',
    'sync',
    'chmod',
    'close',
  ]);
  await handle.close();
  counted(promises, [
    'open',
    'writeFile',
    'rename',
    'link',
    'rm',
    'rmdir',
    'mkdir',
    'readdir',
    'readFile',
    'stat',
  ]);
  syncBuiltinESMExports();
  return {
    begin: () => (begun = true),
    count: () => steps,
  };
}
