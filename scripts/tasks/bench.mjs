import { existsSync } from 'node:fs';
import path from 'node:path';
import { execute, root } from '../process.mjs';
import { buildQuietly } from './build.mjs';

const program = path.join(root, 'benchmarks', 'src', 'main.ts');

/** Measures the built packages, as users have them; arguments are those of benchmarks/src/main.ts. */
export async function run(args) {
  if (!existsSync(program)) {
    console.error('There is nothing to measure yet: benchmarks/src/main.ts doesn’t exist.');
    return 1;
  }
  const built = await buildQuietly();
  if (built !== 0) return built;
  const { code } = await execute(process.execPath, ['--import', 'tsx', program, ...args]);
  return code;
}
