'use strict';
// Runs a file as `require` would, from what V8 made of it the last time: compiling is a third of a short command's time.
// Kept for the user alone, one file a version of Node; whatever is wrong with it, the command compiles as always.
// (`module.enableCompileCache` is like it, but isn't there on Node 20, and keeps things where others may write.)
const { createHash } = require('node:crypto');
const {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { Script } = require('node:vm');

const HASH_BYTES = 32;

/** @param {string} file a CommonJS file, absolute */
module.exports = (file) => {
  const source = readFileSync(file, 'utf8');
  const kept = keptFile(path.basename(file, '.cjs'));
  const cachedData = kept === null ? undefined : recall(kept, source);
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: file,
    cachedData,
  });
  const its = { exports: {} };
  script.runInThisContext()(its.exports, createRequire(file), its, file, path.dirname(file));
  if (kept !== null && (cachedData === undefined || script.cachedDataRejected === true)) {
    // At the end, when it's known what of the file is used; a run that failed used little of it.
    process.once('exit', (code) => {
      if (code === 0) keep(kept, source, script.createCachedData());
    });
  }
};

/** Where it's kept; null where others could put something else there, or Node is told to keep nothing. */
function keptFile(name) {
  const {
    HOME,
    XDG_CACHE_HOME = HOME && path.join(HOME, '.cache'),
    NODE_DISABLE_COMPILE_CACHE,
  } = process.env;
  if (!XDG_CACHE_HOME || NODE_DISABLE_COMPILE_CACHE || process.geteuid === undefined) return null;
  if (!isOurs(path.dirname(XDG_CACHE_HOME))) return null;
  const { version, arch } = process;
  return path.join(XDG_CACHE_HOME, 'knsock', `${name}-${version}-${arch}`);
}

/** What runs must not come from somebody else: root may have another user's HOME. */
function isOurs(folder) {
  try {
    const { uid, mode } = statSync(folder);
    return uid === process.geteuid() && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}

/** V8 itself sees neither that it belongs to another source of the same length, nor on every version that it's damaged. */
function hashOf(source, compiled) {
  return createHash('sha256').update(source).update(compiled).digest();
}

function recall(file, source) {
  let descriptor;
  try {
    descriptor = openSync(file);
    const { uid, mode } = fstatSync(descriptor);
    if (uid !== process.geteuid() || (mode & 0o022) !== 0) return undefined;
    const bytes = readFileSync(descriptor);
    const compiled = bytes.subarray(HASH_BYTES);
    return hashOf(source, compiled).equals(bytes.subarray(0, HASH_BYTES)) ? compiled : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function keep(file, source, compiled) {
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, Buffer.concat([hashOf(source, compiled), compiled]), {
      mode: 0o600,
      flag: 'wx',
    });
    renameSync(temporary, file);
  } catch {
    // A full disk, or one that can't be written: the next run compiles too.
  }
}
