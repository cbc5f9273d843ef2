// @ts-check
// One file over one connection, the same in both directions: the taking side says how much it has, the giving side
// sends the rest. Parts gather under their hash; only what is whole, has that hash and is on the disk gets its name.
import { link, lstat, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RequestError } from '@knsock/core';
import { checkName, describe, openFile, ownFolder } from './safe-files.mjs';

/** @typedef {import('@knsock/core').SecureConnection} Connection */
/** @typedef {{ name: string, size: number, sha256: string }} About */
/** @typedef {((done: number, size: number) => void) | undefined} OnProgress */

/** Milliseconds without a byte after which a transfer is given up. */
export const patience = 120_000;
/** Parts that this process is writing. */
const busy = new Set();

/** @param {Connection} connection @param {string} path @param {OnProgress} [onProgress] */
export async function giveFile(connection, path, onProgress) {
  let at = Number(await next(connection));
  // Before the file is open: one that nobody closes ends a process of Node 26.
  if (!Number.isSafeInteger(at) || at < 0)
    throw new RequestError('bad-request', 'that is no place in a file');
  const { file, size } = await openFile(path);
  for await (const chunk of file.createReadStream({ start: at, highWaterMark: 256 * 1_024 })) {
    await connection.send(chunk); // waits while the other side, or its disk, is slower
    onProgress?.((at += chunk.length), size);
  }
}

/** @param {Connection} connection @param {string} folder @param {About} about @param {OnProgress} [onProgress] */
export async function takeFile(connection, folder, about, onProgress) {
  const final = join(folder, checkName(about.name));
  const part = join(await ownFolder(folder, '.incoming'), about.sha256);
  if (busy.has(part)) throw new RequestError('busy', `${about.name} is being sent already`);
  busy.add(part);
  try {
    const isThere = (await lstat(final).catch(() => null)) !== null;
    if (isThere) await connection.send(String(about.size));
    else await gather(connection, part, about.size, onProgress);
    // What has the name already may be this very file, whose sender was killed before it heard so.
    const isWhole = (await describe(isThere ? final : part)).sha256 === about.sha256;
    if (isWhole && !isThere) await publish(part, final);
    await rm(part, { force: true });
    if (!isWhole) throw new RequestError(isThere ? 'exists' : 'wrong-hash', "it isn't what was announced");
  } finally {
    busy.delete(part);
  }
}

/** @param {Connection} connection @param {string} part @param {number} size @param {OnProgress} onProgress */
async function gather(connection, part, size, onProgress) {
  const { file, size: from } = await openFile(part, 'append');
  try {
    await connection.send(String(from));
    for (let at = from; at < size; onProgress?.(at, size)) {
      const chunk = await next(connection);
      at += chunk.length;
      await file.appendFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** As a rename, except that a link never replaces what has got the name meanwhile. @param {string} part @param {string} final */
async function publish(part, final) {
  await link(part, final).catch((error) => {
    throw error.code === 'EEXIST' ? new RequestError('busy', 'another file has just got the name') : error;
  });
  const folder = await open(dirname(final));
  await folder.sync().finally(() => folder.close());
}

/** @param {Connection} connection */
async function next(connection) {
  const message = await connection.receive({ timeout: patience });
  if (message === null) throw new RequestError('cut', 'the other side ended in the middle');
  return message;
}
