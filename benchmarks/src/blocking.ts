/**
 * What a blocking call costs beside one that doesn't block: wall time of an echo of 32 bytes by a server of bare
 * node:tls in another process. Rounds are interleaved, so that a slow minute meets all of them; the median counts.
 *
 *     node -C @knsock/source --import tsx benchmarks/src/blocking.ts [rounds]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { connect, loadCredentials, raw, sendSslTcpMessage, sendSslTcpMessageSync } from '@knsock/core';
import { makeCertificates, removeCertificates } from './certificates.js';

// What we promise: a warm call costs at most so many times an asynchronous connect-and-send, a kept connection so many.
const TARGETS = { warm: 1.1, kept: 0.25 };
const CALLS = 40;
const MESSAGE = 'm'.repeat(32);

interface Contestant {
  readonly name: string;
  readonly call: () => unknown;
  readonly most?: number;
}

async function contestants(port: number, cafile: string): Promise<Contestant[]> {
  const until = { bytes: MESSAGE.length };
  const credentials = await loadCredentials({ caFile: cafile });
  const blocking = (keep: boolean) => () =>
    sendSslTcpMessageSync('localhost', port, MESSAGE, { cafile, until, keep });
  const connectAndSend = async (): Promise<void> => {
    const connection = await connect({ port, framing: raw(), credentials });
    await connection.send(MESSAGE);
    await connection.receive();
    void connection.close();
  };
  return [
    { name: 'connect, send, receive', call: connectAndSend },
    {
      name: 'sendSslTcpMessage',
      call: () => sendSslTcpMessage('localhost', port, MESSAGE, { cafile, until }),
    },
    { name: 'sendSslTcpMessageSync', call: blocking(false), most: TARGETS.warm },
    { name: '… keep: true', call: blocking(true), most: TARGETS.kept },
  ];
}

/** Milliseconds a call. */
async function round({ call }: Contestant): Promise<number> {
  const start = performance.now();
  for (let done = 0; done < CALLS; done += 1) await call();
  return (performance.now() - start) / CALLS;
}

async function measure(port: number, cafile: string, rounds: number): Promise<boolean> {
  const all = await contestants(port, cafile);
  const before = performance.now();
  sendSslTcpMessageSync('localhost', port, MESSAGE, { cafile, until: 'first' });
  console.log(
    `the first blocking call of the process, which starts the worker: ${(performance.now() - before).toFixed(0)} ms`,
  );
  for (const contestant of all) await round(contestant);
  const times = all.map((): number[] => []);
  for (let turn = 0; turn < rounds * all.length; turn += 1) {
    const index = (turn + Math.floor(turn / all.length)) % all.length;
    times[index]?.push(await round(all[index]!));
  }
  return report(all, times.map(median), rounds);
}

function report(all: readonly Contestant[], medians: readonly number[], rounds: number): boolean {
  const [base = 0] = medians;
  console.log(`an echo of ${MESSAGE.length} bytes: ms a call, median of ${rounds}`);
  const met = all.map(({ name, most }, index) => {
    const ratio = (medians[index] ?? 0) / base;
    const kept = most === undefined || ratio <= most;
    const target =
      most === undefined ? '' : `  target: at most ${most.toFixed(2)}: ${kept ? 'met' : 'MISSED'}`;
    console.log(
      `  ${name.padEnd(24)}${(medians[index] ?? 0).toFixed(2).padStart(7)}  ${ratio.toFixed(2)}${target}`,
    );
    return kept;
  });
  return met.every(Boolean);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** The other process: sends everything back, and goes on. */
function serve(certificate: string, key: string): void {
  const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => socket.write(bytes));
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.on('disconnect', () => process.exit());
}

async function main(): Promise<void> {
  const files = await makeCertificates();
  const server = fork(fileURLToPath(import.meta.url), ['serve', files.serverCertificate, files.serverKey]);
  try {
    const [port] = (await once(server, 'message')) as [number];
    if (!(await measure(port, files.ca, Number(process.argv[2] ?? 9)))) process.exitCode = 1;
  } finally {
    server.disconnect();
    removeCertificates(files);
  }
}

const [, , first, certificate = '', key = ''] = process.argv;
if (first === 'serve') serve(certificate, key);
else void main();
