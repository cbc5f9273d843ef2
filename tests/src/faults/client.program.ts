/**
 * Many clients in one process: opens so many connections, says so, and asks on every one on command. Its
 * arguments are a folder with `ca.crt`, the port and how many.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, createCredentials, type SecureConnection } from '@knsock/core';

const AT_ONCE = 50;

const [folder = '', port = '0', count = '0'] = process.argv.slice(2);
const credentials = createCredentials({ ca: readFileSync(join(folder, 'ca.crt'), 'utf8') });
const connections: SecureConnection[] = [];

let begun = 0;
async function open(): Promise<void> {
  while (begun++ < Number(count)) {
    const options = { host: '127.0.0.1', port: Number(port), credentials, connectTimeout: 60_000 };
    connections.push(await connect(options));
  }
}

async function ask(connection: SecureConnection, n: number): Promise<number> {
  const answer = await connection.request(`question ${n}`, { timeout: 60_000 });
  return String(answer) === `question ${n}` ? 1 : 0;
}

await Promise.all(Array.from({ length: AT_ONCE }, open));
process.once('message', () => {
  void Promise.all(connections.map(ask)).then((right) => {
    process.send?.({ answered: right.reduce((sum, one) => sum + one, 0) }, () => {
      process.exit(0);
    });
  });
});
process.send?.({ open: connections.length });
