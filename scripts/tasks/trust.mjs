import { execute } from '../process.mjs';

/** The public exams of path validation, through every entrance: half a minute. */
export async function run(args) {
  const { code } = await execute('vitest', ['run', '--config', 'vitest.trust.config.ts', ...args]);
  return code;
}
