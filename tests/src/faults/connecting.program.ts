/**
 * A client as a process of its own: connects as often as its parent says, ten at once and without resumption, and tells
 * what it holds then. Its arguments are a folder with `ca.crt`, and the server's port.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, createCredentials } from '@knsock/core';
import { processState } from './process-state.js';

const AT_ONCE = 10;

const [folder = '', port = '0'] = process.argv.slice(2);
const credentials = createCredentials({ ca: readFileSync(join(folder, 'ca.crt'), 'utf8') });

process.on('message', (count: number) => {
  void connectTimes(count).then(() => process.send?.(processState()));
});
process.send?.('ready');

async function connectTimes(count: number): Promise<void> {
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun++ < count) {
      const connection = await connect({ host: 'localhost', port: Number(port), credentials, resume: false });
      await connection.close();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
