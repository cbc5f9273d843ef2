import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { closingLine } from '../counts.mjs';
import { publishedPackages, tarballOf } from '../packages.mjs';
import { execute, root } from '../process.mjs';
import { buildQuietly } from './build.mjs';
import { nodeBinary } from './versions.mjs';

const majors = ['20', '24', '26'];
const stepMs = 180_000;
// Of its own folder, and not of the workspace: it brings 280 packages, and one release of them asks for a tag that
// mirrors lack.
const verdaccio = { dependencies: { verdaccio: '6.1.6' }, overrides: { 'node-fetch': '2.7.0' } };

/**
 * The first release, rehearsed: versions by changesets in a clone, every package packed and published to a registry of
 * this machine, then installed and started as README.md says, on several versions of Node (or those named).
 */
export async function run(args) {
  const built = await buildQuietly();
  if (built !== 0) return built;
  const folder = mkdtempSync(path.join(tmpdir(), 'knsock-registry-'));
  const results = [];
  const passes = async (title, command, parameters, options) => {
    const { code, output } = await execute(command, parameters, {
      print: 'keep',
      timeout: stepMs,
      ...options,
    });
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${title}${code === 0 ? '' : `\n${output}`}`);
    results.push(code === 0);
    return code === 0;
  };
  let registry;
  try {
    const tarballs = await release(folder, passes);
    registry = await startRegistry(folder, passes);
    for (const tarball of tarballs)
      await passes(`publishing ${path.basename(tarball)}`, 'npm', ['publish', tarball], registry);
    for (const major of args.length > 0 ? args : majors) await walk(folder, major, registry, passes);
  } finally {
    registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const failed = results.filter((passed) => !passed).length;
  console.log(closingLine({ passed: results.length - failed, failed }));
  return failed === 0 ? 0 : 1;
}

/** The packages with the versions that the changesets give them; nothing in the workspace changes. */
async function release(folder, passes) {
  const cwd = path.join(folder, 'clone');
  await passes('cloning', 'git', ['clone', '--quiet', root, cwd]);
  symlinkSync(path.join(root, 'node_modules'), path.join(cwd, 'node_modules'));
  await passes('versions by changesets', 'changeset', ['version'], { cwd });
  const tarballs = [];
  for (const { folder: from } of publishedPackages()) {
    const to = path.join(cwd, path.relative(root, from));
    copyFolder(path.join(from, 'dist'), path.join(to, 'dist'));
    linkSiblings(to);
    const manifest = JSON.parse(readFileSync(path.join(to, 'package.json'), 'utf8'));
    await passes(
      `packing ${manifest.name} ${manifest.version}`,
      'pnpm',
      ['pack', '--pack-destination', folder],
      { cwd: to },
    );
    tarballs.push(path.join(folder, tarballOf(manifest)));
  }
  return tarballs;
}

function copyFolder(from, to) {
  mkdirSync(to);
  for (const file of readdirSync(from)) copyFileSync(path.join(from, file), path.join(to, file));
}

/** Packing writes the version of a sibling where the manifest says workspace:. */
function linkSiblings(place) {
  const scope = path.join(place, 'node_modules/@knsock');
  mkdirSync(scope, { recursive: true });
  for (const { folder } of publishedPackages()) {
    const name = path.basename(folder);
    symlinkSync(path.join(place, '..', name), path.join(scope, name));
  }
}

async function startRegistry(folder, passes) {
  const cwd = path.join(folder, 'verdaccio');
  mkdirSync(cwd);
  writeFileSync(path.join(cwd, 'package.json'), JSON.stringify({ private: true, ...verdaccio }));
  await passes('installing the registry', 'npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd,
  });
  const { output } = await execute('npm', ['config', 'get', 'registry'], { print: 'keep' });
  writeFileSync(path.join(cwd, 'config.yaml'), configuration(output.trim()));
  const port = await freePort();
  const listen = `127.0.0.1:${port}`;
  const server = fork(
    path.join(cwd, 'node_modules/verdaccio/bin/verdaccio'),
    ['--config', 'config.yaml', '--listen', listen],
    { cwd, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  await once(server, 'message', { signal: AbortSignal.timeout(stepMs) });
  const userconfig = path.join(folder, 'npmrc');
  writeFileSync(userconfig, `registry=http://${listen}/\n//${listen}/:_authToken=local\n`);
  return {
    env: { npm_config_userconfig: userconfig, npm_config_cache: path.join(folder, 'cache') },
    stop: () => server.kill(),
  };
}

/** Ours are published here; what they depend on comes from the registry that npm is set up with. */
function configuration(registry) {
  return `storage: ./storage
auth: { htpasswd: { file: ./htpasswd } }
uplinks: { npm: { url: '${registry}' } }
packages:
  '@knsock/*': { access: $all, publish: $all }
  '**': { access: $all, proxy: npm }
log: { type: stdout, level: fatal }
`;
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function walk(folder, major, { env }, passes) {
  const node = await nodeBinary(major);
  const cwd = mkdtempSync(path.join(folder, `node-${major}-`));
  const PATH = [path.dirname(node ?? process.execPath), process.env.PATH].join(path.delimiter);
  const options = { cwd, env: { ...env, PATH } };
  const at = `on Node ${major}`;
  await passes(`npm install @knsock/core ${at}`, 'npm', ['install', '@knsock/core'], options);
  await passes(`npx @knsock/cli certs init ${at}`, 'npx', ['--yes', '@knsock/cli', 'certs', 'init'], options);
  writeFileSync(path.join(cwd, 'hello.mjs'), firstProgram());
  await passes(`node hello.mjs ${at}`, 'node', ['hello.mjs'], options);
}

/** The program that README.md shows first. */
function firstProgram() {
  const [, program] = /^```js run=readme certs\n([^]*?)^```/m.exec(
    readFileSync(path.join(root, 'README.md'), 'utf8'),
  );
  return program;
}
