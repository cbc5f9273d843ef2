import { execute } from '../process.mjs';

/** The programs of the documents and examples, and processes that are killed at each step: some minutes. */
export async function run(args) {
  const { code } = await execute('vitest', ['run', '--config', 'vitest.programs.config.ts', ...args]);
  return code;
}
