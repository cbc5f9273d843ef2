/** A pool keeps its process alive only while a caller waits. Separate processes that end by themselves. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** The output of a program run as a process, which must end by itself. */
async function said(program: string): Promise<string> {
  const code = `import { Pool, ConnectionPool } from '@knsock/pool';\n${program}`;
  const flags = ['-C', '@knsock/source', '--import', import.meta.resolve('tsx'), '--input-type=module'];
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const options = { cwd, timeout: 20_000 };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...flags, '-e', code], options);
  return stdout + stderr;
}

it.concurrent('a process lives as long as a caller waits, and gets the result', async () => {
  const waits = `
    const pool = new Pool({ create: () => new Promise(() => undefined) });
    await pool.acquire({ timeout: 200 }).catch(({ code }) => console.log(code));`;
  expect(await said(waits)).toBe('KNSOCK_POOL_TIMEOUT\n');
});

it.concurrent('one that waits for the next attempt to create lives until it works', async () => {
  const recovers = `
    let failures = 3;
    const create = () => (failures-- > 0 ? Promise.reject(new Error('down')) : 'up');
    const lease = await new Pool({ create, backOff: { first: 50, longest: 100 } }).acquire();
    console.log(lease.value);`;
  expect(await said(recovers)).toBe('up\n');
});

it.concurrent(
  'a pool that nobody waits for keeps no process alive, whatever it has to do some time',
  async () => {
    const rests = `
    const onError = () => undefined;
    const down = new Pool({ min: 1, onError, create: () => Promise.reject(new Error('down')) });
    const rested = new Pool({ min: 1, create: () => 1, validate: () => true, leakThreshold: 60_000 });
    const lease = await rested.acquire();
    const refused = new ConnectionPool({ endpoints: [{ host: '127.0.0.1', port: 1 }], min: 1, onError });
    console.log('over');`;
    expect(await said(rests)).toBe('over\n');
  },
);
