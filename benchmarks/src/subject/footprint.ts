/** What the open connections of a measured process are made of. */
import type { TLSSocket } from 'node:tls';
import { getHeapSnapshot } from 'node:v8';

export interface Footprint {
  /** Everything in the heap, after a collection. */
  readonly objects: number;
  /** Of all sockets that are open, for whatever event. */
  readonly listeners: number;
}

/** The open sockets of a server whose clients say nothing. */
export const open = new Set<TLSSocket>();

export async function footprint(): Promise<Footprint> {
  let listeners = 0;
  for (const socket of open) for (const name of socket.eventNames()) listeners += socket.listenerCount(name);
  return { objects: await nodesInHeap(), listeners };
}

/** A snapshot begins by saying how many nodes it has. */
async function nodesInHeap(): Promise<number> {
  let head = '';
  for await (const chunk of getHeapSnapshot()) {
    head += String(chunk);
    const count = /"node_count":(\d+)/.exec(head)?.[1];
    if (count !== undefined) return Number(count);
  }
  throw new Error('a heap snapshot without a count of its nodes');
}
