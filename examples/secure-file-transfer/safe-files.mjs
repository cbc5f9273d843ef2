// @ts-check
// The only ways to a file: by a plain name, in a folder that is one, and never through a link or to a device.
import { createHash } from 'node:crypto';
import { constants, lstat, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { RequestError } from '@knsock/core';

const { O_RDONLY, O_RDWR, O_CREAT, O_APPEND, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
const plainName = /^[\p{L}\p{N}_][\p{L}\p{N} ._()+@=,-]*$/u;
const windowsDevice = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** @param {unknown} name */
export function checkName(name) {
  const plain = typeof name === 'string' && plainName.test(name) && !windowsDevice.test(name);
  if (plain && Buffer.byteLength(name) <= 200) return name;
  throw new RequestError('bad-name', 'a name is letters, digits and ._-()+@=, without folders');
}

/** Makes a folder where there is none. @param {string} parent @param {string} name */
export async function ownFolder(parent, name) {
  const folder = join(parent, name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await lstat(folder)).isDirectory()) return folder;
  throw new RequestError('not-a-folder', `${name} is a link`);
}

/** @param {string} path @param {'read' | 'append'} [purpose] `append` makes the file where there is none */
export async function openFile(path, purpose = 'read') {
  const flags = purpose === 'read' ? O_RDONLY : O_RDWR | O_CREAT | O_APPEND;
  // Without O_NONBLOCK, opening a named pipe would wait for its other end.
  const file = await open(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600).catch(({ code }) => refuse(code));
  const stats = await file.stat();
  if (stats.isFile()) return { file, size: stats.size };
  await file.close();
  return refuse('a device');
}

/** Its size and the SHA-256 of its content. @param {string} path */
export async function describe(path) {
  const { file, size } = await openFile(path);
  const hash = createHash('sha256');
  for await (const chunk of file.createReadStream({ start: 0 })) hash.update(chunk);
  return { size, sha256: hash.digest('hex') };
}

/** @param {string} code @returns {never} */
function refuse(code) {
  if (code === 'ENOENT') throw new RequestError('not-found', 'there is no such file');
  throw new RequestError('not-a-file', `only ordinary files are transferred, no links or devices (${code})`);
}
