// Installs the workspace with the pinned pnpm, only when what decides the outcome has changed since the last time.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execute, root } from './process.mjs';

const stamp = path.join(root, 'node_modules', '.knsock-installed');
const attempts = 3;
const attemptMs = 150_000;

/** Whether the workspace is installed now; says what happens only when there is something to do. */
export async function install() {
  const wanted = fingerprint();
  if (readStamp() === wanted) return true;
  console.log("Installing the workspace's tools (once; later runs skip this) …");
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const { code, timedOut, output } = await execute('npx', installArguments(), {
      timeout: attemptMs,
      env: patience,
      print: 'keep',
    });
    if (code === 0) {
      writeFileSync(stamp, wanted);
      return true;
    }
    const why = timedOut ? `stalled for ${attemptMs / 1000} s` : `failed with exit code ${code}`;
    console.error(output);
    console.error(`The installation ${why} (attempt ${attempt} of ${attempts}).`);
  }
  console.error('Could not install. Does this machine reach its npm registry? `npm ping` tells.');
  return false;
}

// A download that stalls is given up and repeated, instead of waited for.
const patience = { npm_config_fetch_timeout: '20000', npm_config_fetch_retries: '5' };

function installArguments() {
  const pnpm = `pnpm@${manifest().devEngines.packageManager.version}`;
  const quiet = ['--reporter=append-only', '--config.confirmModulesPurge=false'];
  return ['--yes', pnpm, 'install', '--frozen-lockfile', '--prefer-offline', ...quiet];
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml']) {
    hash.update(readFileSync(path.join(root, file)));
  }
  return hash.digest('hex');
}

function readStamp() {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return undefined; // never installed
  }
}

function manifest() {
  return JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
}
