/** One message at a time, with a pause between: how long each answer takes. */
import { setTimeout as pause } from 'node:timers/promises';
import { quantile } from '../statistics.js';
import { frameOf } from '../wire.js';
import type { Link } from './link.js';

export interface Latency {
  /** Milliseconds. */
  readonly median: number;
  readonly p99: number;
}

export async function latency(link: Link, { ms }: { ms: number }): Promise<Latency> {
  const frame = frameOf(link.framing, Buffer.alloc(32, 'x'));
  const times: number[] = [];
  const until = performance.now() + ms;
  while (performance.now() < until) {
    times.push(await roundTrip(link, frame));
    await pause(1);
  }
  times.sort((a, b) => a - b);
  return { median: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

function roundTrip(link: Link, frame: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const started = performance.now();
    let missing = frame.length;
    link.taken = (length) => {
      missing -= length;
      if (missing === 0) resolve(performance.now() - started);
    };
    link.socket.write(frame);
  });
}
