/**
 * The clients of a soak, until their parent says that it is over: each connects, sends numbered messages, asks how many
 * came, and leaves, well or badly. Its arguments are a folder with `ca.crt`, the port and how many at once.
 */
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect, createCredentials } from '@knsock/core';
import { processState, type ProcessState } from './process-state.js';

export interface SoakClientReport extends ProcessState {
  readonly messages: number;
  readonly connections: number;
  /** Messages that were sent and didn't arrive. */
  readonly lost: number;
  readonly errors: readonly string[];
}

const MOST_MESSAGES = 400;
const MOST_BYTES = 20_000;

const [folder = '', port = '0', atOnce = '1'] = process.argv.slice(2);
const credentials = createCredentials({ ca: readFileSync(join(folder, 'ca.crt'), 'utf8') });
let over = false;
let messages = 0;
let connections = 0;
let lost = 0;
const errors: string[] = [];

async function visit(): Promise<void> {
  const connection = await connect({ host: '127.0.0.1', port: Number(port), credentials });
  connections += 1;
  const count = Math.floor(Math.random() * MOST_MESSAGES);
  for (let n = 0; n < count; n++) if (!connection.write(message(n))) await connection.ready();
  lost += count - Number(await connection.request('how many?'));
  messages += count;
  if (Math.random() < 0.5) await connection.close();
  else connection.destroy();
}

/** Its number, and padding of any length. */
function message(n: number): string {
  return String(n).padStart(12, '0') + 'x'.repeat(Math.floor(Math.random() ** 4 * MOST_BYTES));
}

/** Connects and resets, as a scanner does. */
function knock(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectTcp(Number(port), '127.0.0.1', () => socket.resetAndDestroy());
    socket
      .on('error', () => undefined)
      .on('close', () => {
        resolve();
      });
  });
}

async function keepVisiting(): Promise<void> {
  while (!over) {
    if (Math.random() < 0.2) await knock();
    else await visit().catch((error: unknown) => errors.push(String(error)));
  }
}

process.once('message', () => (over = true));
process.send?.('ready');
await Promise.all(Array.from({ length: Number(atOnce) }, keepVisiting));
const report: SoakClientReport = { ...processState(), messages, connections, lost, errors };
process.send?.(report, () => {
  process.exit(0);
});
