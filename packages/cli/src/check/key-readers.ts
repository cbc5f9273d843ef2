import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/** The users besides root who can read a file. */
export type Readers = 'owner' | 'group' | 'everyone';

const order: readonly Readers[] = ['owner', 'group', 'everyone'];
const ROOT = 0;

/**
 * Who can read a file by its permission bits and those of the folders above: a key of mode 0644 in a folder that only its
 * owner enters, as certbot and systemd keep keys, can't be read by others. Windows has no such bits: only the owner.
 * What came through a pipe is there for no one else.
 */
export async function readersOf(file: string, folders: FolderVisitors): Promise<Readers> {
  if (process.platform === 'win32' || !(await stat(file)).isFile()) return 'owner';
  const place = await realpath(file);
  const { mode, uid } = await stat(place);
  let readers = byBits(mode, 0o040, 0o004);
  for (let folder = path.dirname(place); ; folder = path.dirname(folder)) {
    readers = fewer(readers, await folders.of(folder, uid));
    if (folder === path.dirname(folder)) return readers;
  }
}

/** The users who can enter folders, each looked up once: thousands of keys may lie in one. */
export class FolderVisitors {
  readonly #known = new Map<string, { readonly visitors: Readers; readonly uid: number }>();

  /** If it belongs to a third user, that user can enter it too and counts as the group. */
  async of(folder: string, owner: number): Promise<Readers> {
    const { visitors, uid } = this.#known.get(folder) ?? (await this.#lookUp(folder));
    return visitors === 'owner' && uid !== owner && uid !== ROOT ? 'group' : visitors;
  }

  async #lookUp(folder: string): Promise<{ visitors: Readers; uid: number }> {
    const { mode, uid } = await stat(folder);
    const found = { visitors: byBits(mode, 0o010, 0o001), uid };
    this.#known.set(folder, found);
    return found;
  }
}

function byBits(mode: number, group: number, others: number): Readers {
  if ((mode & others) !== 0) return 'everyone';
  return (mode & group) === 0 ? 'owner' : 'group';
}

const fewer = (one: Readers, other: Readers): Readers =>
  order.indexOf(one) < order.indexOf(other) ? one : other;
