import path from 'node:path';
import { execute, root } from '../process.mjs';
import { buildQuietly } from './build.mjs';

const program = path.join(root, 'benchmarks', 'dist', 'main.js');

/** Measures the built packages, as users have them; arguments are those of benchmarks/src/main.ts. */
export async function run(args) {
  const built = await buildQuietly();
  if (built !== 0) return built;
  const { code } = await execute(process.execPath, [program, ...args]);
  return code;
}
