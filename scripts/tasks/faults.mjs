import { execute } from '../process.mjs';

/** The tests that load servers as real processes and break things; KNSOCK_FAULTS=full does all of it, as CI does. */
export async function run(args) {
  const { code } = await execute('vitest', ['run', '--config', 'vitest.faults.config.ts', ...args]);
  return code;
}
