import { existsSync } from 'node:fs';
import path from 'node:path';
import { execute, root } from '../process.mjs';
import { buildQuietly } from './build.mjs';

const program = path.join(root, 'examples', 'quickstart', 'main.mjs');

/** The main job on real input: builds what is out of date, then runs examples/quickstart. */
export async function run(args) {
  if (!existsSync(program)) {
    console.error('There is nothing to start yet: examples/quickstart/main.mjs doesn’t exist.');
    return 1;
  }
  console.log('Building the packages, where they changed …');
  const built = await buildQuietly();
  if (built !== 0) return built;
  const { code } = await execute(process.execPath, [program, ...args]);
  return code;
}
