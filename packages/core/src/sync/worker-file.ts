/** Where the worker's program is: beside this file, in the sources, in the package as built, and in a bundle. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BlockingCallError } from '../errors/index.js';

/** @throws BlockingCallError where a bundle left it behind */
export function workerFile(): URL {
  const url = fromHere();
  if (url !== null && existsSync(fileURLToPath(url))) return url;
  const place = url === null ? 'beside this bundle' : `at ${fileURLToPath(url)}`;
  throw new BlockingCallError('worker', `the worker of blocking calls isn't ${place}`);
}

/** Null where a bundle in CommonJS has lost the place it came from. */
function fromHere(): URL | null {
  try {
    const url = new URL('./sync-worker.js', import.meta.url);
    return url.protocol === 'file:' ? url : null;
  } catch {
    return null;
  }
}
