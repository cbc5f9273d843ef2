/** Credentials as their files had them when they were last read, and what is taken of the next reading. */
import { asError } from '../errors/as-error.js';
import { CredentialsError } from '../errors/index.js';
import { createHash } from '../node/crypto.js';
import { checkCredentials, openOwn, type Credentials, type OpenedOwn } from './credentials.js';
import { FollowedFiles, type Contents } from './followed-files.js';
import { FollowedLists } from './followed-lists.js';
import { listed, optionsOf, originsOf, pathsOf, type CredentialFiles } from './load.js';
import { isSameWarnings, refuseWarnings } from './warning.js';

/** Files as they were read. */
export interface Reading {
  /** What the files looked like before. */
  readonly seen: string;
  /** Whether they looked the same afterwards; if not, it may be of two sets, each of which is good. */
  readonly stood: boolean;
  readonly contents: Contents;
  readonly own: OpenedOwn | Error;
}

/** Why something wasn't taken; the same again where the key is the same. */
export interface Problem {
  readonly key: string;
  readonly error: CredentialsError;
}

/** Sets are swapped now and then, and not all the time. */
const MOST_READINGS = 10;

/** Clocks of file systems may count by two seconds (FAT, some network folders), within which two writes look the same. */
const COARSE_CLOCK_MS = 3_000;

export class FollowedSet {
  /** Stays the same object until its contents or its warnings change. */
  current!: Credentials;
  /** What the files looked like when they were last taken or refused. */
  settled!: string;
  readonly #options: CredentialFiles;
  readonly #files: FollowedFiles;
  #own!: OpenedOwn;
  #lists = FollowedLists.none;
  #problems: readonly Problem[] = [];
  /** Our own files as they were last opened, which costs a key derivation. */
  #opened: { readonly mark: string; readonly own: OpenedOwn | Error } | undefined;
  /** Of all that was read last. */
  #mark = '';
  #changedAt = 0;
  /** When time alone changes what is valid. */
  #dueAt = Infinity;

  private constructor(options: CredentialFiles, files: FollowedFiles) {
    this.#options = options;
    this.#files = files;
  }

  /** @throws CredentialsError where the first set can't be used */
  static async open(options: CredentialFiles, signal: AbortSignal | undefined): Promise<FollowedSet> {
    const set = new FollowedSet(options, await FollowedFiles.open(pathsOf(options), signal));
    const reading = await set.readStanding();
    if (reading.own instanceof Error) throw reading.own;
    set.#own = reading.own;
    const [problem] = set.settle(reading);
    if (problem !== undefined) throw problem.error;
    return set;
  }

  print(): Promise<string> {
    return this.#files.print();
  }

  /** Whether files that look the same are to be read again. */
  isDue(): boolean {
    const now = Date.now();
    const mayRecover = this.#problems.some(({ error }) => error.reason === 'unreadable');
    return mayRecover || now > this.#dueAt || now - this.#changedAt < COARSE_CLOCK_MS;
  }

  async read(): Promise<Reading> {
    const seen = await this.#files.print();
    const contents = await this.#files.read();
    const own = await this.#openOwn(contents);
    return { seen, contents, own, stood: (await this.#files.print()) === seen };
  }

  /** Reads until the files stand still meanwhile. */
  async readStanding(): Promise<Reading> {
    let reading = await this.read();
    for (let count = 1; !reading.stood && count < MOST_READINGS; count++) reading = await this.read();
    return reading;
  }

  /** Takes what is good of a reading. @returns why the rest isn't taken */
  settle({ seen, contents, own }: Reading): readonly Problem[] {
    const now = Date.now();
    const mark = markOf(contents);
    this.settled = seen;
    if (mark === this.#mark && now <= this.#dueAt) return this.#problems;
    if (mark !== this.#mark) this.#changedAt = now;
    this.#mark = mark;
    const before = this.#own.anchors;
    const read = own instanceof Error ? this.#own : own;
    const refusal = own instanceof Error ? own : this.#refusalOf(own);
    if (refusal === undefined) this.#own = read;
    const files = listed(this.#options.crlFile) ?? [];
    this.#lists = this.#lists.next(files, contents, { before, now: this.#own.anchors }, now);
    const next = this.#with(this.#own);
    if (!isSame(next, this.current)) this.current = next;
    const problems = [...(refusal === undefined ? [] : [refusal]), ...this.#lists.problems];
    this.#problems = problems.map((error) => problemOf(error, contents));
    this.#dueAt = nextMoment([read, this.#own], this.#lists, now);
    return this.#problems;
  }

  #refusalOf(own: OpenedOwn): Error | undefined {
    try {
      const alone = checkCredentials(own, { crls: [], warnings: [] }, originsOf(this.#options));
      refuseWarnings(alone.warnings);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  #with(own: OpenedOwn): Credentials {
    const { crls, warnings } = this.#lists.inUse;
    const all = { crls, warnings: [...warnings, ...this.#files.warnings] };
    return checkCredentials(own, all, originsOf(this.#options));
  }

  async #openOwn(contents: Contents): Promise<OpenedOwn | Error> {
    const paths = pathsOf({ ...this.#options, crlFile: undefined });
    const own = new Map(paths.map((path) => [path, contents.get(path) as Buffer | Error]));
    const mark = markOf(own);
    if (this.#opened?.mark === mark) return this.#opened.own;
    const failed = [...own.values()].find((one) => one instanceof Error);
    const options = { ...optionsOf(this.#options, own as ReadonlyMap<string, Buffer>), crl: undefined };
    const opened = failed ?? (await openOwn(options, originsOf(this.#options)).catch(asError));
    this.#opened = { mark, own: opened };
    return opened;
  }
}

function isSame(next: Credentials, current: Credentials | undefined): boolean {
  return next.version === current?.version && isSameWarnings(next.warnings, current.warnings);
}

function problemOf(error: Error, contents: Contents): Problem {
  const problem =
    error instanceof CredentialsError
      ? error
      : new CredentialsError('malformed', String(error), { cause: error });
  const { file = '' } = problem;
  const found = contents.get(file);
  return {
    key: `${problem.message}\n${found === undefined ? '' : markOf(new Map([[file, found]]))}`,
    error: problem,
  };
}

function markOf(contents: Contents): string {
  const hash = createHash('sha256');
  for (const [path, found] of contents) {
    const bytes = found instanceof Error ? found.message : found;
    hash.update(`${path}\n${found instanceof Error}\n${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

/** When one of them begins or ends to be valid; Infinity: never. */
function nextMoment(owns: readonly OpenedOwn[], { moments }: FollowedLists, now: number): number {
  const certificates = owns.flatMap(({ pair }) => pair?.certificates ?? []);
  const all = [...moments, ...certificates.flatMap(({ notBefore, notAfter }) => [notBefore, notAfter])];
  return Math.min(...all.map((moment) => moment.getTime()).filter((time) => time >= now), Infinity);
}
