import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createProject } from '../consumer-project.mjs';
import { closingLine } from '../counts.mjs';
import { copyExample, exampleDependencies, exampleNames } from '../example-project.mjs';
import { publishedPackages, tarballOf } from '../packages.mjs';
import { execute } from '../process.mjs';
import { buildQuietly } from './build.mjs';

const stepMs = 120_000;

/**
 * The packages as users get them: packed, installed into empty projects outside the workspace (each with the
 * tarballs it depends on, then all together) and used from an ES module, through `require` and from TypeScript; then
 * each example, copied, installed, started and tested. Arguments choose among the projects by a part of their title.
 */
export async function run(words) {
  const built = await buildQuietly();
  if (built !== 0) return built;
  const folder = mkdtempSync(path.join(tmpdir(), 'knsock-packages-'));
  try {
    const results = await everyProject(folder, words);
    const failed = results.filter((passed) => !passed).length;
    console.log(closingLine({ passed: results.length - failed, failed }));
    return failed === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function everyProject(folder, words) {
  const all = publishedPackages();
  const results = [];
  for (const one of all) results.push(await passes(`packing ${one.manifest.name}`, packing(one, folder)));
  if (results.includes(false)) return results;
  for (const { title, packages, fill } of chosen([...projects(all), ...examples(all)], words)) {
    console.log(`\n${title}`);
    const place = mkdtempSync(path.join(folder, 'project-'));
    const tarballs = packages.map(({ manifest }) => path.join(folder, tarballOf(manifest)));
    const steps = fill(place);
    const installed = await passes('installing', installing(place, tarballs));
    results.push(installed);
    for (const { name, ...step } of installed ? steps : []) results.push(await passes(name, step));
  }
  return results;
}

function chosen(everything, words) {
  const wanted = ({ title }) => words.length === 0 || words.some((word) => title.includes(word));
  const some = everything.filter(wanted);
  if (some.length === 0) throw new Error(`no project's title has any of: ${words.join(', ')}`);
  return some;
}

function projects(all) {
  const single = all.map((one) => ({ title: one.manifest.name, packages: withDependencies(one, all) }));
  return [...single, { title: 'All packages together', packages: all }].map(({ title, packages }) => ({
    title: `${title}, in an empty project`,
    packages,
    fill: (place) => createProject(place, packages),
  }));
}

function examples(all) {
  return exampleNames().map((name) => ({
    title: `examples/${name}, copied into an empty folder`,
    packages: [...new Set(packagesOf(name, all).flatMap((one) => withDependencies(one, all)))],
    fill: (place) => copyExample(place, name),
  }));
}

function packagesOf(example, all) {
  const names = exampleDependencies(example);
  return all.filter(({ manifest }) => names.includes(manifest.name));
}

function withDependencies(one, all) {
  const names = Object.keys(one.manifest.dependencies ?? {});
  const needed = all.filter(({ manifest }) => names.includes(manifest.name));
  return [...new Set([one, ...needed.flatMap((other) => withDependencies(other, all))])];
}

function packing({ folder: cwd }, destination) {
  return { command: 'pnpm', args: ['pack', '--pack-destination', destination], cwd };
}

function installing(cwd, tarballs) {
  const env = { npm_config_fetch_timeout: '20000', npm_config_fetch_retries: '5' };
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', ...tarballs];
  return { command: 'npm', args, cwd, env, attempts: 3 };
}

async function passes(title, { command, args, cwd, env = {}, attempts = 1 }) {
  for (let left = attempts; left > 0; left -= 1) {
    const { code, timedOut, output } = await execute(command, args, {
      cwd,
      env,
      print: 'keep',
      timeout: stepMs,
    });
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${title}`);
    if (code === 0) return true;
    console.log(timedOut ? `gave up after ${stepMs / 1000} s\n${output}` : output);
  }
  return false;
}
