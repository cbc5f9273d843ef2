/** What of the program a graceful close waits for, and the warning where it does so for long. */
import { CLOSE_PATIENCE, warnOfClose } from '../errors/close-warning.js';
import { showEndpoint, type Endpoint } from '../transport/proxy-header.js';
import type { Activity } from './activity.js';

/** What of the program holds a connection open. */
export interface Holders {
  /** On which connection. */
  readonly where: string;
  /** Handlers of its requests, listeners of its messages, its own handler, and a stream over it. */
  readonly counts: Readonly<Record<Holder, number>>;
}

type Holder = 'request handler' | 'listener' | 'connection handler' | 'stream';

interface Connected {
  readonly id: number;
  readonly remote: Endpoint | null;
  readonly path: string | null;
}

interface HeldConnection {
  readonly protocol: { readonly requestsWorkedOn: number };
  readonly activity: Activity;
  readonly receiveQueue: { readonly pulled: number; readonly isParked: boolean };
  readonly raw: { readonly finished: boolean } | null;
}

/** @param byProgram whether the program itself closed it: then only requests are waited for */
export function holdersOf(
  { protocol, activity, receiveQueue, raw }: HeldConnection,
  { id, remote, path }: Connected,
  byProgram: boolean,
): Holders {
  const isHandling = activity.handler(receiveQueue.pulled) === 'running' && !receiveQueue.isParked;
  return {
    where: `connection ${id} with ${showEndpoint(remote, path)}`,
    counts: {
      'request handler': protocol.requestsWorkedOn,
      listener: byProgram ? 0 : activity.listeners,
      'connection handler': !byProgram && isHandling ? 1 : 0,
      stream: raw === null || raw.finished ? 0 : 1,
    },
  };
}

/**
 * Warns once where a close waits for the program.
 * @param call what was called, such as `server.close()`
 * @param deadline of the close, in milliseconds
 * @returns stops watching
 */
export function watchClose(call: string, deadline: number, holders: () => Iterable<Holders>): () => void {
  if (deadline <= CLOSE_PATIENCE) return () => undefined;
  const timer = setTimeout(() => {
    const held = inWords([...holders()]);
    if (held !== null) warnOfClose(call, held);
  }, CLOSE_PATIENCE).unref();
  return () => {
    clearTimeout(timer);
  };
}

function inWords(all: readonly Holders[]): string | null {
  const totals = new Map<string, number>();
  for (const { counts } of all)
    for (const [what, count] of Object.entries(counts)) totals.set(what, (totals.get(what) ?? 0) + count);
  const parts = [...totals].filter(([, count]) => count > 0);
  if (parts.length === 0) return null;
  const [first] = all.filter(({ counts }) => Object.values(counts).some((count) => count > 0));
  const words = parts.map(([what, count]) => `${count} ${what}${count === 1 ? '' : 's'}`).join(' and ');
  return `${words}, the first on ${first?.where ?? ''}`;
}
