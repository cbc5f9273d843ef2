import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { listen, type ClosedInfo } from '@knsock/core';
import { expect, it } from 'vitest';
import { needsTools } from '../interop/tools.js';
import { createWorld, portOf } from '../support/world.js';

const client = fileURLToPath(new URL('knsock_client.py', import.meta.url));
const page = fileURLToPath(new URL('../../../docs/wire-format.md', import.meta.url));

it('the Python client written from docs/wire-format.md agrees with every vector of the page', (context) => {
  needsTools(context, 'python3');
  // -B: leave no __pycache__ in the source tree.
  const printed = execFileSync('python3', ['-B', client, 'self-test', page], { timeout: 20_000 });
  const checked = JSON.parse(String(printed)) as Record<string, number>;
  expect(checked['valid']).toBeGreaterThanOrEqual(12);
  expect(checked['malformed']).toBeGreaterThan(0);
});

it('the Python client talks to our server, and each ends as the page says', async (context) => {
  needsTools(context, 'python3');
  const world = await createWorld();
  const folder = await mkdtemp(path.join(tmpdir(), 'knsock-python-'));
  const ends: Promise<ClosedInfo>[] = [];
  const options = { port: 0, host: '127.0.0.1', credentials: world.server };
  await using server = await listen(options, (connection) => {
    ends.push(connection.closed);
    connection.onRequest(({ payload }) => `got ${String(payload)}`);
    connection.onMessage((message) => connection.send(`echo ${String(message)}`));
  });
  try {
    const ca = path.join(folder, 'ca.pem');
    await writeFile(ca, world.authority.root);
    const talk = async (...steps: string[]): Promise<Record<string, unknown>[]> => {
      const target = ['connect', '--ca', ca, '--name', 'localhost', '127.0.0.1', String(portOf(server))];
      const { stdout } = await promisify(execFile)('python3', ['-B', client, ...target, ...steps]);
      return stdout
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text) as Record<string, unknown>);
    };
    const [welcome, ...results] = await talk('request:a', 'message:b', 'receive', 'ping', 'close:moved to b');
    expect(welcome).toMatchObject({ welcome: { features: { 'close-code': '' } } });
    expect(results.map(({ result }) => result)).toEqual(['got a', null, 'echo b', null, true]);
    expect(await ends[0]).toEqual({ clean: true, code: 'moved', text: 'to b' });
    await talk('close');
    expect(await ends[1]).toEqual({ clean: true });
  } finally {
    await rm(folder, { recursive: true });
  }
});
