import { existsSync } from 'node:fs';
import path from 'node:path';
import { execute, root } from '../process.mjs';
import { buildQuietly } from './build.mjs';

/**
 * The main job on real input: builds what is out of date, then runs examples/quickstart; `start secure-json-api` runs
 * another example.
 */
export async function run([name = 'quickstart', ...args]) {
  const program = path.join(root, 'examples', name, 'main.mjs');
  if (!existsSync(program)) {
    console.error(`There is no example '${name}'; examples/README.md lists them.`);
    return 2;
  }
  console.log('Building the packages, where they changed …');
  const built = await buildQuietly();
  if (built !== 0) return built;
  const { code } = await execute(process.execPath, [program, ...args]);
  return code;
}
