/** Tickets of an inter-process lock: files named after the process that drew them, and whether it is alive. */
import { open, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLocal, isRunning, type Owner } from './lock-owner.js';

export interface Ticket {
  readonly file: string;
  /** Undefined while its owner is still drawing. */
  readonly number: number | undefined;
  readonly owner: Owner;
  readonly id: string;
}

/** A ticket that was drawn. */
export type DrawnTicket = Ticket & { readonly number: number };

/** Ms after which an owner of another host counts as dead if it hasn't touched its ticket. */
export const LEASE = 60_000;

/** All tickets in the folder, drawn ones and those that are being drawn. */
export async function ticketsIn(directory: string): Promise<Ticket[]> {
  return (await readdir(directory)).flatMap((file) => parseTicket(file) ?? []);
}

export const isDrawn = (ticket: Ticket): ticket is DrawnTicket => ticket.number !== undefined;

/** The order in which tickets take their turn. */
export function compareTickets(a: DrawnTicket, b: DrawnTicket): number {
  return a.number - b.number || (a.id < b.id ? -1 : 1);
}

/** A new ticket's name. */
export function ticketFile(number: number | undefined, owner: Owner, id: string): string {
  return [number ?? 'drawing', owner.host, owner.pid, owner.start, id].join('-');
}

function parseTicket(file: string): Ticket | undefined {
  const match = /^(\d+|drawing)-([0-9a-f]{8})-(\d+)-(\d+)-([0-9a-f]{12})$/.exec(file);
  if (match === null) return undefined;
  const [, number = '', host = '', pid = '', start = '', id = ''] = match;
  const owner = { host, pid: Number(pid), start };
  return { file, number: number === 'drawing' ? undefined : Number(number), owner, id };
}

/** Writes a ticket; with its content at once, so that a full disk doesn't keep it from being touched. */
export async function writeTicket(directory: string, file: string): Promise<void> {
  const path = join(directory, file);
  try {
    await writeFile(path, '.', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    // A full disk makes the file and takes nothing into it: left there, it would count as a living process that waits.
    await rm(path, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** By writing, so that the folder's own clock is used; without `r+` a released ticket would be created again. */
export async function touchTicket(directory: string, file: string): Promise<void> {
  await writeFile(join(directory, file), '.', { flag: 'r+' }).catch(() => undefined);
}

export const isThere = async (directory: string, { file }: Ticket): Promise<boolean> =>
  (await touchedAt(join(directory, file))) !== undefined;

/**
 * Whether a ticket belongs to a living process; that of a dead one is removed.
 * @param mine a ticket of this process in the same folder: its time is compared with that of another host's ticket
 */
export async function isAlive(directory: string, ticket: Ticket, mine: Ticket): Promise<boolean> {
  const alive = (await isLocal(ticket.owner))
    ? await isRunning(ticket.owner)
    : await isTouched(directory, ticket, mine);
  // Names are never reused, so this can't remove a living one.
  if (!alive) await rm(join(directory, ticket.file), { force: true });
  return alive;
}

async function isTouched(directory: string, ticket: Ticket, mine: Ticket): Promise<boolean> {
  const [then, now] = await Promise.all([ticket, mine].map(({ file }) => touchedAt(join(directory, file))));
  return then !== undefined && (now ?? then) - then < LEASE;
}

/** In ms; undefined if it is gone. Opened first: network file systems then ask the server instead of their cache. */
async function touchedAt(path: string): Promise<number | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    return (await file.stat()).mtimeMs;
  } finally {
    await file.close();
  }
}
