import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { closingLine } from '../counts.mjs';
import { publishedPackages, tarballOf } from '../packages.mjs';
import { execute, root } from '../process.mjs';

const stepMs = 300_000;

/** Everything that can be said about the code without its tests; every step runs, whatever the others say. */
export async function run() {
  const packed = mkdtempSync(path.join(tmpdir(), 'knsock-check-'));
  try {
    let failed = 0;
    const all = steps(packed);
    for (const step of all) if (!(await passes(step))) failed += 1;
    console.log(closingLine({ passed: all.length - failed, failed }));
    return failed === 0 ? 0 : 1;
  } finally {
    rmSync(packed, { recursive: true, force: true });
  }
}

function steps(packed) {
  return [
    ['types', 'tsc', '-p', '.'],
    ['lint', 'eslint', '.', '--max-warnings', '0'],
    ['formatting', 'prettier', '--check', '--log-level=warn', '.'],
    ['import rules', 'depcruise', '--config', '.dependency-cruiser.mjs', ...sourceFolders()],
    ['unused files, exports and dependencies', 'knip'],
    ['changesets', 'changeset', 'status'],
    ['docs', 'vitest', 'run', '--project', 'tests', 'src/docs'],
    ['build', 'turbo', 'run', 'build', '--output-logs=errors-only'],
    ['public surface', process.execPath, 'scripts/api-report.mjs', '--check'],
    ...publishedPackages().flatMap((one) => packageSteps(one, packed)),
    ['sizes', process.execPath, 'scripts/sizes.mjs', packed],
  ];
}

function sourceFolders() {
  const folders = ['packages', 'tests', 'benchmarks', 'examples', 'scripts'];
  return folders.filter((folder) => existsSync(path.join(root, folder)));
}

function packageSteps({ folder, manifest }, packed) {
  const { name } = manifest;
  const tarball = path.join(packed, tarballOf(manifest));
  return [
    [`${name}: packing`, 'pnpm', '--dir', folder, 'pack', '--pack-destination', packed],
    [`${name}: package layout`, 'publint', 'run', tarball, '--strict'],
    [`${name}: types as others see them`, 'attw', tarball, '--profile', 'esm-only'],
  ];
}

async function passes([title, command, ...args]) {
  const started = performance.now();
  const { code, timedOut, output } = await execute(command, args, { print: 'keep', timeout: stepMs });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${title} (${seconds} s)`);
  if (timedOut) console.log(`        gave up after ${stepMs / 1000} s`);
  if (code !== 0) console.log(indent(`$ ${[command, ...args].join(' ')}\n${output.trim()}`));
  return code === 0;
}

function indent(text) {
  return text.replace(/^/gm, '        ');
}
