// Runs an installed command: it is linked, and tells the version of the package it came with.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';

const [name, version] = process.argv.slice(2);
const file = path.resolve('node_modules', '.bin', name);
const printed = execFileSync(file, ['--version'], { encoding: 'utf8', shell: process.platform === 'win32' });
assert.equal(printed.trim().split(/\s+/).at(-1), version);
