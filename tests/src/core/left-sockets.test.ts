/** A Unix socket's path that is taken: the error says by what. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { listen } from '@knsock/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'knsock-'));
  folders.push(folder);
  return folder;
}

const listenAt = (place: string) => listen({ path: place, credentials: world.server }, () => undefined);

it('a socket that a killed program left behind is named as such, and can be deleted', async () => {
  const place = path.join(await temporaryFolder(), 'left.sock');
  const script = `require('node:net').createServer().listen(${JSON.stringify(place)}, () => console.log('up'))`;
  const program = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(program.stdout, 'data');
  await expect(listenAt(place)).rejects.toMatchObject({
    code: 'KNSOCK_PORT_IN_USE',
    message: `${place} is in use already: a program listens there`,
  });
  program.kill('SIGKILL');
  await once(program, 'exit');
  await expect(listenAt(place)).rejects.toMatchObject({
    code: 'KNSOCK_PORT_IN_USE',
    message: `${place} is the socket of a program that is gone: nobody listens there`,
    hint: expect.stringContaining('Delete the file') as unknown,
  });
  await rm(place);
  await (await listenAt(place)).close();
});

it('another file is called no socket', async () => {
  const place = path.join(await temporaryFolder(), 'notes');
  await writeFile(place, 'mine');
  await expect(listenAt(place)).rejects.toMatchObject({
    message: `${place} exists already, and is no socket`,
  });
});
