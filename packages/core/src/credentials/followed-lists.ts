/**
 * The lists of followed files, file by file: what can't be taken of one keeps its last good lists in use, and holds up no other.
 * No list in use is replaced by an earlier one, and none goes because a file lost it.
 */
import type { CertificateRevocationList } from '../x509/index.js';
import type { Contents } from './followed-files.js';
import {
  laterLists,
  laterWarnings,
  lostLists,
  lostWarnings,
  type Anchors,
  type FileLists,
} from './later-lists.js';
import { readCrls } from './material.js';
import { staleWarnings } from './stale-lists.js';
import type { ReadLists } from './credentials.js';
import { refuseWarnings } from './warning.js';

type Lists = readonly CertificateRevocationList[];

interface OfFile extends FileLists {
  readonly file: string;
  readonly bytes: Buffer;
}

export class FollowedLists {
  readonly #files: ReadonlyMap<string, OfFile>;
  /** Those in use that no file holds. */
  readonly #kept: ReadLists;
  /** Why lists of files weren't taken. */
  readonly problems: readonly Error[];
  /** When they were read, by what they say of their time, next. */
  readonly moments: readonly Date[];

  private constructor(
    files: ReadonlyMap<string, OfFile>,
    kept: ReadLists,
    problems: readonly Error[],
    moments: readonly Date[],
  ) {
    this.#files = files;
    this.#kept = kept;
    this.problems = problems;
    this.moments = moments;
  }

  static readonly none = new FollowedLists(new Map(), { crls: [], warnings: [] }, [], []);

  /** What is in use. */
  get inUse(): ReadLists {
    const crls = [...this.#files.values()].flatMap((one) => one.crls);
    return { crls: [...crls, ...this.#kept.crls], warnings: this.#kept.warnings };
  }

  /** Those after the files were read again. */
  next(paths: readonly string[], contents: Contents, anchors: Anchors, now: number): FollowedLists {
    const files = new Map<string, OfFile>();
    const problems: Error[] = [];
    const seen: CertificateRevocationList[] = [];
    for (const file of paths) {
      const before = this.#files.get(file);
      try {
        const read = readLists(file, contents.get(file) as Buffer | Error, before);
        seen.push(...read.crls);
        refuseWarnings(staleWarnings(read.crls, now, file));
        files.set(file, read);
      } catch (error) {
        problems.push(error as Error);
        if (before !== undefined) files.set(file, before);
      }
    }
    const sources = [...files.values()];
    const crls = sources.flatMap((one) => one.crls);
    const kept = keptLists(crls, sources, this.inUse.crls, anchors);
    const moments = [...seen, ...crls, ...kept.crls].flatMap(momentsOf);
    return new FollowedLists(files, withStale(kept, now), problems, moments);
  }
}

/** @throws CredentialsError for what can't be read */
function readLists(file: string, bytes: Buffer | Error, before: OfFile | undefined): OfFile {
  if (bytes instanceof Error) throw bytes;
  // Large lists take a while to parse.
  if (before?.bytes.equals(bytes) === true) return before;
  return { file, bytes, crls: readCrls(bytes, file) };
}

function keptLists(read: Lists, sources: readonly FileLists[], inUse: Lists, anchors: Anchors): ReadLists {
  const [later, lost] = [laterLists(read, inUse), lostLists(read, inUse, anchors)];
  return {
    crls: [...later, ...lost],
    warnings: [...laterWarnings(later, sources), ...lostWarnings(lost)],
  };
}

/** What is in use already is no reason to refuse a set. */
function withStale({ crls, warnings }: ReadLists, now: number): ReadLists {
  const stale = staleWarnings(crls, now, undefined).map((warning) => ({ ...warning, fatal: false }));
  return { crls, warnings: [...stale, ...warnings] };
}

function momentsOf({ thisUpdate, nextUpdate }: CertificateRevocationList): Date[] {
  return nextUpdate === undefined ? [thisUpdate] : [thisUpdate, nextUpdate];
}
