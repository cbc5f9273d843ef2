// The one door to every command of the workspace: `node scripts/run.mjs <task> [arguments]`.
// It needs nothing but Node and npm, installs the pinned tools when the lockfile changed, then runs the task.
import { install } from './install.mjs';

const tasks = {
  start: () => import('./tasks/start.mjs'),
  test: () => import('./tasks/test.mjs'),
  'test:programs': () => import('./tasks/programs.mjs'),
  'test:interop': () => import('./tasks/interop.mjs'),
  'test:faults': () => import('./tasks/faults.mjs'),
  'test:trust': () => import('./tasks/trust.mjs'),
  'test:audit': () => import('./tasks/audit.mjs'),
  'test:versions': () => import('./tasks/versions.mjs'),
  'test:packages': () => import('./tasks/packages.mjs'),
  'test:registry': () => import('./tasks/registry.mjs'),
  'test:mutation': () => import('./tasks/mutation.mjs'),
  build: () => import('./tasks/build.mjs'),
  check: () => import('./tasks/check.mjs'),
  format: () => import('./tasks/format.mjs'),
  docs: () => import('./tasks/docs.mjs'),
  soak: () => import('./tasks/soak.mjs'),
  bench: () => import('./tasks/bench.mjs'),
};

async function main([name = '', ...args]) {
  const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  if (task === undefined) {
    console.error(`No task '${name}'. The tasks are: ${Object.keys(tasks).join(', ')}.`);
    return 2;
  }
  if (!(await install())) return 1;
  const { run } = await task();
  return run(args);
}

process.exitCode = await main(process.argv.slice(2));
