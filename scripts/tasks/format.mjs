import { execute } from '../process.mjs';

const reference = ['-C', '@knsock/source', 'tests/src/docs/write-generated.ts'];

/** Writes the generated parts of docs/cli.md, and formats every file that `npm run check` looks at. */
export async function run(args) {
  const written = await execute('tsx', reference);
  if (written.code !== 0) return written.code;
  const { code } = await execute('prettier', ['--write', '--log-level=warn', '.', ...args]);
  return code;
}
