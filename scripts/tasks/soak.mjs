import path from 'node:path';
import { execute, root } from '../process.mjs';

const program = path.join(root, 'tests', 'src', 'faults', 'soak.ts');

/** A server and its clients for so many minutes: `npm run soak -- --minutes 60` (default 1). */
export async function run(args) {
  const node = ['-C', '@knsock/source', '--import', 'tsx', program, ...args];
  const { code } = await execute(process.execPath, node);
  return code;
}
