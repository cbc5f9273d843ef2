/** Clients that come one after the other, are answered once, and go: how long each waits for its answer. */
import tls from 'node:tls';
import type { Certificates } from '../certificates.js';
import { quantile } from '../statistics.js';
import { clientContext, clientOptions } from '../tls-setup.js';
import { frameOf, type WireFraming } from '../wire.js';
import type { Latency } from './latency.js';

export interface NewClientsOptions {
  readonly files: Certificates;
  readonly port: number;
  readonly framing: WireFraming;
  readonly count: number;
}

export async function newClients({ files, port, framing, count }: NewClientsOptions): Promise<Latency> {
  const options = {
    ...clientOptions(port),
    secureContext: tls.createSecureContext(clientContext(files, false)),
  };
  const frame = frameOf(framing, Buffer.alloc(32, 'x'));
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) times.push(await visit(options, frame));
  times.sort((a, b) => a - b);
  return { median: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

/** Milliseconds from the call until the answer is whole. */
function visit(options: tls.ConnectionOptions, frame: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const socket = tls.connect(options);
    let missing = frame.length;
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      missing -= chunk.length;
      if (missing > 0) return;
      resolve(performance.now() - started);
      socket.destroy();
    });
    socket.write(frame);
  });
}
