import { existsSync } from 'node:fs';
import path from 'node:path';
import { closingLine, readCounts, sum } from '../counts.mjs';
import { execute, root } from '../process.mjs';

const supported = ['20', '22', '24', '26'];
const installAttempts = 3;
const installMs = 120_000;
const suiteMs = 840_000;
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');

/**
 * The suite and the programs on several versions of Node: `test:versions` (all), `test:versions 24 26`; everything else
 * is handed to vitest (`test:versions 20 24 src/trust`), and then the programs are left out.
 */
export async function run(args) {
  const asked = args.filter((word) => /^\d+$/.test(word));
  const rest = args.filter((word) => !asked.includes(word) && word !== '--');
  const all = [];
  for (const major of asked.length > 0 ? asked : supported) all.push(await suite(major, rest));
  const total = sum(all);
  console.log(`\nNode ${(asked.length > 0 ? asked : supported).join(', ')}`);
  console.log(closingLine(total));
  return total.failed === 0 ? 0 : 1;
}

async function suite(major, args) {
  const node = await nodeBinary(major);
  if (node === undefined) return { passed: 0, failed: 1 };
  console.log(`\nNode ${major}: ${node}`);
  const PATH = [path.dirname(node), path.join(root, 'node_modules', '.bin'), process.env.PATH].join(
    path.delimiter,
  );
  const run = async (...more) => {
    const options = { print: 'both', timeout: suiteMs, env: { PATH } };
    const { code, output } = await execute(node, [vitest, 'run', ...more], options);
    const counts = readCounts(output) ?? { passed: 0, failed: 0 };
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts; // it broke without saying how
  };
  const suites = [await run(...args)];
  if (args.length === 0) suites.push(await run('--config', 'vitest.programs.config.ts'));
  return sum(suites);
}

// Node itself is an npm package: one per platform, its major version as the package's.
export async function nodeBinary(major) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = path.join(root, '.tmp', `node-${major}`);
  const binary = path.join(
    folder,
    'node_modules',
    name,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  for (let attempt = 1; !existsSync(binary) && attempt <= installAttempts; attempt += 1) {
    await installNode(folder, `${name}@${major}`);
  }
  if (existsSync(binary)) return binary;
  console.error(`Node ${major} could not be installed (${name}@${major}).`);
  return undefined;
}

async function installNode(folder, name) {
  const args = [
    'install',
    '--prefix',
    folder,
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    name,
  ];
  const { code, output } = await execute('npm', args, { print: 'keep', timeout: installMs });
  if (code !== 0) console.error(output.trim());
}
