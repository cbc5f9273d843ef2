/**
 * A lock between processes, and one that a killed process can't keep (Lamport's bakery).
 *
 * Whoever wants it draws a ticket greater than all it sees, as a file whose name says who drew it, and waits until no
 * living process holds a smaller one. While a process draws, a second file says so, and nobody may judge the tickets.
 * Names are never used twice, so removing what a dead process left can't hit a living one: no takeover, no race.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileError, isCode } from './atomic-file.js';
import { CertificateError } from './errors.js';

/** How long to wait for the lock. */
export interface LockOptions {
  /** In ms. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

interface Entry {
  readonly file: string;
  /** Undefined while its owner still draws. */
  readonly ticket: number | undefined;
  readonly owner: Owner;
  readonly id: string;
}

interface Owner {
  readonly host: string;
  readonly pid: number;
  /** When the process started, in the kernel's ticks: a pid comes back, both together don't. '0' where unknown. */
  readonly start: string;
}

/** Ms between two looks. */
const POLL = 5;
/** How often the folder may vanish under our hands before that is somebody else's doing. */
const ATTEMPTS = 100;
const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/**
 * Runs `work` while holding the lock kept in `directory`.
 * @throws CertificateError `KNSOCK_CERTIFICATE_LOCKED` after `timeout`; the signal's reason where it fires first.
 */
export async function withProcessLock<T>(
  directory: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const mine = await draw(directory);
  try {
    await untilFirst(directory, mine, options);
    return await work();
  } finally {
    await rm(join(directory, mine.file), { force: true });
    // The last one out leaves a clean folder; whoever has come meanwhile keeps it.
    await rmdir(directory).catch(() => undefined);
  }
}

async function draw(directory: string): Promise<Entry & { ticket: number }> {
  const owner = { host, pid: process.pid, start: await startOf(process.pid) };
  const id = randomBytes(6).toString('hex');
  const drawing = fileName(undefined, owner, id);
  try {
    await announce(directory, drawing);
    const ticket = Math.max(0, ...(await entries(directory)).map((entry) => entry.ticket ?? 0)) + 1;
    const file = fileName(ticket, owner, id);
    await writeFile(join(directory, file), '', { flag: 'wx', mode: 0o600 });
    return { file, ticket, owner, id };
  } catch (cause) {
    throw fileError(directory, 'lock', cause);
  } finally {
    await rm(join(directory, drawing), { force: true });
  }
}

/**
 * Says that a ticket is being drawn. The last one out removes the folder, so it may vanish while it is made, and
 * between its making and the first file in it.
 */
async function announce(directory: string, drawing: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await writeFile(join(directory, drawing), '', { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      if (!isCode(error, 'ENOENT') || attempt === ATTEMPTS) throw error;
    }
  }
}

async function untilFirst(
  directory: string,
  mine: Entry & { ticket: number },
  options: LockOptions,
): Promise<void> {
  const deadline = performance.now() + options.timeout;
  for (;;) {
    options.signal?.throwIfAborted();
    const before = await inTheWay(directory, mine);
    if (before === undefined) return;
    if (performance.now() >= deadline) throw locked(directory, before, options.timeout);
    await sleep(POLL, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(
      () => undefined,
    );
  }
}

/** Somebody to wait for. Tickets are read only after nobody was seen drawing, in a listing of their own. */
async function inTheWay(directory: string, mine: Entry & { ticket: number }): Promise<Entry | undefined> {
  const drawing = (await living(directory, mine)).find(({ ticket }) => ticket === undefined);
  if (drawing !== undefined) return drawing;
  const others = await living(directory, mine);
  return others.find(({ ticket, id }) => ticket !== undefined && isBefore({ ticket, id }, mine));
}

function isBefore(other: { ticket: number; id: string }, mine: { ticket: number; id: string }): boolean {
  return other.ticket < mine.ticket || (other.ticket === mine.ticket && other.id < mine.id);
}

/** The entries of living processes; those of dead ones are cleared away. */
async function living(directory: string, mine: Entry): Promise<Entry[]> {
  const others = (await entries(directory)).filter(({ id }) => id !== mine.id);
  const alive = await Promise.all(others.map(({ owner }) => isAlive(owner)));
  const dead = others.filter((_, index) => alive[index] !== true);
  await Promise.all(dead.map(({ file }) => rm(join(directory, file), { force: true })));
  return others.filter((_, index) => alive[index] === true);
}

async function entries(directory: string): Promise<Entry[]> {
  return (await readdir(directory)).flatMap((file) => parseEntry(file) ?? []);
}

function fileName(ticket: number | undefined, owner: Owner, id: string): string {
  return [ticket ?? 'drawing', owner.host, owner.pid, owner.start, id].join('-');
}

function parseEntry(file: string): Entry | undefined {
  const match = /^(\d+|drawing)-([0-9a-f]{8})-(\d+)-(\d+)-([0-9a-f]{12})$/.exec(file);
  if (match === null) return undefined;
  const [, ticket = '', ownerHost = '', pid = '', start = '', id = ''] = match;
  const owner = { host: ownerHost, pid: Number(pid), start };
  return { file, ticket: ticket === 'drawing' ? undefined : Number(ticket), owner, id };
}

/** A process of another machine can't be asked, so it counts as living. */
async function isAlive(owner: Owner): Promise<boolean> {
  if (owner.host !== host) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const start = await startOf(owner.pid);
  return start === '0' || owner.start === '0' || start === owner.start;
}

/** Field 22 of /proc/PID/stat, counted after the command, which may hold spaces; '0' where there is no /proc. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
}

function locked(directory: string, holder: Entry, timeout: number): CertificateError {
  const file = join(directory, holder.file);
  const who = `process ${holder.owner.pid}${holder.owner.host === host ? '' : ' of another machine'}`;
  const message = `${who} holds the store's lock, and ${timeout.toLocaleString('en')} ms of waiting are over`;
  return new CertificateError('KNSOCK_CERTIFICATE_LOCKED', message, { file });
}
