import { execute } from '../process.mjs';

/** The suite that needs nothing but Node; arguments are vitest's (a folder, `--project core`, `-t name`). */
export async function run(args) {
  const { code } = await execute('vitest', ['run', ...args]);
  return code;
}
