/** Selects files of a folder by their names, the same way for every command. */
// As in read-whole.ts: node:fs/promises would load more than short programs need.
import { readdir, stat } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const entriesOf = promisify(readdir);
const statOf = promisify(stat);

/**
 * The files below a folder whose names match, and links to such files, in order. Left out are names that start with a dot,
 * and `issued/serials`, where a store archives certificates that were replaced. A folder that can't be read stands among
 * them, so that reading it says why and it doesn't hide the files elsewhere.
 */
export async function filesBelow(folder: string, names: RegExp): Promise<string[]> {
  return (await placesBelow(folder, names)).sort();
}

async function placesBelow(folder: string, names: RegExp): Promise<string[]> {
  const entries = await entriesOf(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [folder];
  const found = await Promise.all(
    entries.map(async (entry) => {
      const place = path.join(folder, entry.name);
      if (isLeftOut(folder, entry.name)) return [];
      if (entry.isDirectory()) return placesBelow(place, names);
      return names.test(entry.name) && !(await leadsToNoFile(place)) ? [place] : [];
    }),
  );
  return found.flat();
}

/** Pending and temporary files start with a dot, as do the versions behind a Kubernetes volume's links. */
function isLeftOut(folder: string, name: string): boolean {
  return name.startsWith('.') || (name === 'serials' && path.basename(path.resolve(folder)) === 'issued');
}

/** A broken link is reported; a link to a folder isn't followed, and reading a pipe could block for ever. */
async function leadsToNoFile(place: string): Promise<boolean> {
  return statOf(place).then(
    (found) => !found.isFile(),
    () => false,
  );
}
