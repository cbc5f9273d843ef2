/**
 * Works on a store and dies by SIGKILL at its n-th step on the file system, right before the step is done.
 * Arguments: folder, n. It says what it was told is safe, a line each, and `steps N` where it came to the end.
 */
import { writeSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const [folder = '', last = ''] = process.argv.slice(2);
let steps = 0;

/** Before each step; the process is gone when this returns for the last one. */
function step(): void {
  steps += 1;
  if (steps === Number(last)) process.kill(process.pid, 'SIGKILL');
}

type Method = (...args: unknown[]) => unknown;

function counted(owner: object, names: readonly string[]): void {
  const methods = owner as Record<string, Method>;
  for (const name of names) {
    const original = methods[name] as Method;
    methods[name] = function (this: unknown, ...args: unknown[]) {
      step();
      return Reflect.apply(original, this, args);
    };
  }
}

const handle = await promises.open(process.execPath, 'r');
counted(Object.getPrototypeOf(handle) as object, [
  'appendFile',
  'writeFile',
  'truncate',
  'sync',
  'chmod',
  'close',
]);
await handle.close();
counted(promises, [
  'open',
  'writeFile',
  'rename',
  'link',
  'rm',
  'rmdir',
  'mkdir',
  'readdir',
  'readFile',
  'stat',
]);
syncBuiltinESMExports();

const { openStore } = await import('@knsock/certs');
const say = (line: string): void => void writeSync(1, `${line}\n`);

steps = 0;
const store = await openStore(folder);
const authority = await store.authority('root');
const { certificate } = await authority.issue({
  kind: 'server',
  names: ['again.test'],
  file: 'again',
  overwrite: true,
});
say(`issued ${Buffer.from(certificate).toString('base64')}`);
await authority.revoke(certificate, 'superseded');
say(`revoked ${Buffer.from(certificate).toString('base64')}`);
say(`crl ${(await authority.crl()).number}`);
const below = await authority.intermediate({ commonName: 'Below', file: `below-${process.pid}` });
say(`issued ${Buffer.from(below.certificate).toString('base64')}`);
say(`steps ${steps}`);
