/**
 * An inter-process lock that a killed process doesn't keep (Lamport's bakery algorithm).
 *
 * A process draws a ticket greater than all it sees, as a file named after the process, and waits until no
 * living process holds a smaller one. While it draws, a second file says so: processes that drew before wait for it once,
 * and later tickets are greater. So each lists the folder twice, then only looks at the ticket whose turn it is.
 *
 * Whether a process of another machine or container is alive can't be checked. It touches its ticket while it holds one,
 * so a ticket not touched for long is a dead process's; both times are those of the folder's own file system. A process
 * that slept so long that its ticket was removed learns that from `check` before it writes.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileError, isCode } from './atomic-file.js';
import { CertificateError } from '../errors.js';
import { isLocal, thisOwner } from './lock-owner.js';
import {
  compareTickets,
  isAlive,
  isDrawn,
  isThere,
  LEASE,
  ticketFile,
  ticketsIn,
  touchTicket,
  writeTicket,
  type DrawnTicket,
  type Ticket,
} from './lock-ticket.js';

/** How long to wait for the lock. */
export interface LockOptions {
  /** In ms, for each process before this one: it begins anew whenever one of them has finished. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** The lock while it is held. */
export interface HeldLock {
  /** @throws CertificateError `KNSOCK_CERTIFICATE_LOCKED` if others took this process for dead meanwhile. */
  check(): Promise<void>;
}

/** Ms between two looks for each process before this one, and at most. */
const POLL = 5;
const LONGEST_POLL = 250;
/** Ms between two checks whether the holder is alive. */
const LIFE_POLL = 50;
/** How often the folder may vanish while we use it, before an outside cause is assumed. */
const ATTEMPTS = 100;
/** Ms between two touches of a ticket. */
const TOUCH = 5_000;

/**
 * Runs `work` while holding the lock kept in `directory`, whose own folder must exist.
 * @throws CertificateError `KNSOCK_CERTIFICATE_LOCKED` where one process holds it for longer than `timeout`;
 *   `KNSOCK_CERTIFICATE_FILE` where the folder can't be written; the signal's reason where it fires first.
 */
export async function withProcessLock<T>(
  directory: string,
  options: LockOptions,
  work: (lock: HeldLock) => Promise<T>,
): Promise<T> {
  const mine = await draw(directory);
  const touching = setInterval(() => void touchTicket(directory, mine.file), TOUCH).unref();
  try {
    await untilFirst(directory, mine, options);
    return await work({ check: () => checkHeld(directory, mine) });
  } finally {
    clearInterval(touching);
    await rm(join(directory, mine.file), { force: true }).catch(() => undefined);
    // The last process removes the folder; one that has come meanwhile keeps it.
    await rmdir(directory).catch(() => undefined);
  }
}

async function draw(directory: string): Promise<DrawnTicket> {
  const owner = await thisOwner();
  const id = randomBytes(6).toString('hex');
  const drawing = ticketFile(undefined, owner, id);
  try {
    await announce(directory, drawing);
    const number = Math.max(0, ...(await ticketsIn(directory)).map((one) => one.number ?? 0)) + 1;
    const file = ticketFile(number, owner, id);
    await writeTicket(directory, file);
    return { file, number, owner, id };
  } catch (cause) {
    throw fileError(directory, 'lock', cause);
  } finally {
    await rm(join(directory, drawing), { force: true }).catch(() => undefined);
  }
}

/**
 * Marks that a ticket is being drawn. The last process removes the folder, so it may vanish between its creation and the
 * first file in it. It is created without its parents: for those, Node reports ENOENT for every reason.
 */
async function announce(directory: string, drawing: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await mkdir(directory, { mode: 0o700 }).catch((error: unknown) => {
      if (!isCode(error, 'EEXIST')) throw error;
    });
    try {
      await writeTicket(directory, drawing);
      return;
    } catch (error) {
      if (!isCode(error, 'ENOENT') || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Waits for processes that were drawing when this ticket was drawn, then for all tickets before it. */
async function untilFirst(directory: string, mine: DrawnTicket, options: LockOptions): Promise<void> {
  const drawing = (await ticketsIn(directory)).filter((one) => !isDrawn(one) && one.id !== mine.id);
  await untilGone(directory, drawing, mine, options);
  // On network folders a listing is fresh only after a change of one's own.
  if (drawing.length > 0) await touchFolder(directory, mine);
  const before = (await ticketsIn(directory)).filter(isDrawn).filter((one) => compareTickets(one, mine) < 0);
  await untilGone(directory, before.sort(compareTickets), mine, options);
}

async function touchFolder(directory: string, { owner }: Ticket): Promise<void> {
  const marker = ticketFile(undefined, owner, randomBytes(6).toString('hex'));
  await writeTicket(directory, marker).catch(() => undefined);
  await rm(join(directory, marker), { force: true }).catch(() => undefined);
}

/** Waits for one ticket after the other; the further from its turn, the less often it polls. */
async function untilGone(
  directory: string,
  tickets: readonly Ticket[],
  mine: Ticket,
  { timeout, signal }: LockOptions,
): Promise<void> {
  for (const [index, ticket] of tickets.entries()) {
    const deadline = performance.now() + timeout;
    const pause = Math.min((tickets.length - index) * POLL, LONGEST_POLL);
    for (let askedAt = 0; await isThere(directory, ticket);) {
      signal?.throwIfAborted();
      const now = performance.now();
      if (askedAt === 0 || now - askedAt >= LIFE_POLL) {
        if (!(await isAlive(directory, ticket, mine))) break;
        askedAt = now;
      }
      if (now >= deadline) throw await locked(directory, ticket, timeout);
      await sleep(pause, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  }
  signal?.throwIfAborted();
}

async function checkHeld(directory: string, mine: Ticket): Promise<void> {
  if (await isThere(directory, mine)) return;
  const message = `the lock ${join(directory, mine.file)} was taken over: this process didn't run for ${LEASE / 1_000} s or more`;
  throw new CertificateError('KNSOCK_CERTIFICATE_LOCKED', message, { hint: 'Try again.' });
}

async function locked(directory: string, holder: Ticket, timeout: number): Promise<CertificateError> {
  const file = join(directory, holder.file);
  const isHere = await isLocal(holder.owner);
  const who = `process ${holder.owner.pid}${isHere ? '' : ' of another machine or container'}`;
  const message = `timed out after ${timeout.toLocaleString('en')} ms waiting for the lock held by ${who}`;
  const hint = `If that process is gone, its lock opens by itself after ${LEASE / 1_000} s, or at once when you remove ${file}.`;
  return new CertificateError('KNSOCK_CERTIFICATE_LOCKED', message, isHere ? { file } : { file, hint });
}
