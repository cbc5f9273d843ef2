/**
 * A lock between processes, and one that a killed process can't keep (Lamport's bakery).
 *
 * Whoever wants it draws a ticket greater than all it sees, as a file whose name says who drew it, and waits until no
 * living process holds a smaller one. While a process draws, a second file says so, and nobody may judge the tickets.
 * Names are never used twice, so removing what a dead process left can't hit a living one: no takeover, no race.
 *
 * A process of another machine or container can't be asked whether it lives. It touches its ticket while it holds one,
 * so a ticket that nobody has touched for long is a dead one's; both times are those of the folder's own file system.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileError, isCode } from '../files/atomic-file.js';
import { CertificateError } from '../errors.js';
import { isLocal, isRunning, thisOwner, type Owner } from './lock-owner.js';

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

/** Ms between two looks. */
const POLL = 5;
/** How often the folder may vanish under our hands before that is somebody else's doing. */
const ATTEMPTS = 100;
/** Ms between two touches of a ticket, and after how many without one its owner counts as dead. */
const TOUCH = 5_000;
const LEASE = 60_000;

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
  const touching = setInterval(() => void touch(join(directory, mine.file)), TOUCH).unref();
  try {
    await untilFirst(directory, mine, options);
    return await work();
  } finally {
    clearInterval(touching);
    await rm(join(directory, mine.file), { force: true });
    // The last one out leaves a clean folder; whoever has come meanwhile keeps it.
    await rmdir(directory).catch(() => undefined);
  }
}

async function draw(directory: string): Promise<Entry & { ticket: number }> {
  const owner = await thisOwner();
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
    if (performance.now() >= deadline) throw await locked(directory, before, options.timeout);
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
  const now = await touchedAt(join(directory, mine.file));
  const alive = await Promise.all(others.map((other) => isAlive(directory, other, now)));
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

async function isAlive(directory: string, { owner, file }: Entry, now: number): Promise<boolean> {
  if (await isLocal(owner)) return isRunning(owner);
  return now - (await touchedAt(join(directory, file))) < LEASE;
}

/** In ms; 0 where it is gone. */
function touchedAt(file: string): Promise<number> {
  return stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

/** By writing, so that the folder's own clock is asked; without `r+` a ticket given back would be there again. */
async function touch(file: string): Promise<void> {
  await writeFile(file, '.', { flag: 'r+' }).catch(() => undefined);
}

async function locked(directory: string, holder: Entry, timeout: number): Promise<CertificateError> {
  const file = join(directory, holder.file);
  const isHere = await isLocal(holder.owner);
  const who = `process ${holder.owner.pid}${isHere ? '' : ' of another machine or container'}`;
  const message = `${who} holds the store's lock, and ${timeout.toLocaleString('en')} ms of waiting are over`;
  const hint = `If that is gone, its lock opens by itself after ${LEASE / 1_000} s, or at once when you remove ${file}.`;
  return new CertificateError('KNSOCK_CERTIFICATE_LOCKED', message, isHere ? { file } : { file, hint });
}
