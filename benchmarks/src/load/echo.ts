/** Keeps `depth` messages under way until the time is over, then takes the answers that are left. */
import { frameOf, numberRequests } from '../wire.js';
import type { Link } from './link.js';
import type { Done } from './done.js';

export interface EchoOptions {
  readonly size: number;
  readonly depth: number;
  readonly ms: number;
}

export function echo(link: Link, { size, depth, ms }: EchoOptions): Promise<Done> {
  const frame = frameOf(link.framing, Buffer.alloc(size, 'x'));
  const batch = Buffer.concat(Array.from({ length: depth }, () => frame));
  const started = performance.now();
  let sent = 0;
  let answered = 0;
  let bytes = 0;
  const send = (count: number): void => {
    sent += count;
    link.socket.write(batchOf(link, batch, frame.length, count));
  };
  return new Promise((resolve) => {
    link.taken = (length) => {
      bytes += length;
      const now = Math.floor(bytes / frame.length);
      const fresh = now - answered;
      if (fresh === 0) return;
      answered = now;
      const elapsed = performance.now() - started;
      if (elapsed < ms) send(fresh);
      else if (answered === sent) resolve({ operations: answered, wallMs: elapsed });
    };
    send(depth);
  });
}

/** The same bytes again and again, except that each request has an id of its own. */
function batchOf(link: Link, batch: Buffer, frameBytes: number, count: number): Buffer {
  const part = batch.subarray(0, count * frameBytes);
  if (link.framing !== 'knsock-request') return part;
  const numbered = Buffer.from(part);
  numberRequests(numbered, frameBytes, link.nextId);
  link.nextId += count;
  return numbered;
}
