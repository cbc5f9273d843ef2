/** The server of a soak: numbers the messages of each connection, says so when asked, and finds out of order ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCredentials, listen } from '@knsock/core';
import { processState, type ProcessState } from './process-state.js';

export interface SoakServerReport extends ProcessState {
  readonly connections: number;
  readonly accepted: number;
  /** Messages that came twice, or before their turn. */
  readonly misplaced: number;
}

const [folder = ''] = process.argv.slice(2);
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const credentials = createCredentials({ cert: read('server.crt'), key: read('server.key') });
let misplaced = 0;

const server = await listen({ port: 0, host: '127.0.0.1', credentials }, (connection) => {
  let received = 0;
  connection.onMessage((message) => {
    if (Number(message.subarray(0, 12)) !== received++) misplaced += 1;
  });
  connection.onRequest(() => String(received));
});

process.on('message', () => {
  const { connections, accepted } = server.stats();
  const report: SoakServerReport = { ...processState(), connections, accepted, misplaced };
  process.send?.(report);
});
process.send?.({ port: 'port' in server.address ? server.address.port : 0 });
