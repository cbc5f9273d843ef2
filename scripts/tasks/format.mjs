import { execute } from '../process.mjs';

/** Formats every file that `npm run check` looks at. */
export async function run(args) {
  const { code } = await execute('prettier', ['--write', '--log-level=warn', '.', ...args]);
  return code;
}
