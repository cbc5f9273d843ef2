/**
 * Serves the authority of a store, and dies by SIGKILL at its n-th step on the file system after the first request.
 * Arguments: folder, port, n. It prints the port once it listens, and its steps at SIGTERM.
 */
import { writeSync } from 'node:fs';
import { countSteps } from './steps.js';

const [folder = '', port = '0', last = '-1'] = process.argv.slice(2);
const steps = await countSteps(Number(last));
const { openStore } = await import('@knsock/certs');
const { serveAuthority } = await import('@knsock/certs/authority-server');

const say = (line: string): void => void writeSync(1, `${line}\n`);
const store = await openStore(folder);
const server = await serveAuthority({ store, names: ['localhost'], port: Number(port), host: '127.0.0.1' });
process.once('SIGTERM', () => {
  say(`steps ${steps.count()}`);
  process.exit(0);
});
steps.begin();
say(`port ${'port' in server.address ? server.address.port : 0}`);
