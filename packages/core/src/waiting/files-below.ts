/** Selects files of a folder by their names, the same way for every command. */
// As in read-whole.ts: node:fs/promises would load more than short programs need.
import { readdir, stat } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const entriesOf = promisify(readdir);
const statOf = promisify(stat);

/**
 * The files below a folder whose names match, and links to such files, in order. Left out are names that start with a dot,
 * and `issued/serials`, where a store archives certificates that were replaced.
 * @throws Node's error, if the folder can't be read
 */
export async function filesBelow(folder: string, names: RegExp): Promise<string[]> {
  const entries = await entriesOf(folder, { recursive: true, withFileTypes: true });
  const places = entries
    .filter((entry) => !entry.isDirectory() && names.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((place) => !isLeftOut(folder, place));
  const isOther = await Promise.all(places.map(leadsToNoFile));
  return places.filter((_, index) => isOther[index] !== true).sort();
}

/** Pending and temporary files start with a dot, as do the versions behind a Kubernetes volume's links. */
function isLeftOut(folder: string, place: string): boolean {
  const parts = path.relative(folder, place).split(path.sep);
  if (parts.some((part) => part.startsWith('.'))) return true;
  const isBelow = parts.length > 1;
  return isBelow && path.dirname(path.resolve(place)).endsWith(path.join(path.sep, 'issued', 'serials'));
}

/** A broken link is reported; a link to a folder isn't followed, and reading a pipe could block for ever. */
async function leadsToNoFile(place: string): Promise<boolean> {
  return statOf(place).then(
    (found) => !found.isFile(),
    () => false,
  );
}
