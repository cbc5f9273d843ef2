import { execFile, spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knsock, knsockCommand, Running } from '../support/command.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-test-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('knsock certs init', () => {
  it('makes everything, and prints next steps that work', async () => {
    const made = await knsock(['certs', 'init'], { cwd: folder });
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const commands = made.stdout.split('\n').filter((line) => line.startsWith('  knsock '));
    expect(commands).toHaveLength(3);
    const [serve, send, refused] = (await onFreePort(commands)) as [string, string, string];
    const shell = await shellThatKnows('knsock');
    await using server = shell.start(serve);
    await server.says(/listening on/);
    expect(await shell.run(send)).toMatchObject({ code: 0, stdout: 'hello\n', stderr: '' });
    const answer = await shell.run(refused);
    expect(answer.code).toBe(67);
    expect(answer.stderr).toContain('KNSOCK_CLIENT_CERTIFICATE_REFUSED');
  });

  it.each(['db.internal', '10.0.0.7'])(
    'says what works for a server that is to be called %s',
    async (name) => {
      const made = await knsock(['certs', 'init', `of ${name}`, '--name', name], { cwd: folder });
      const commands = made.stdout.split('\n').filter((line) => line.startsWith('  knsock '));
      const [serve, send, refused] = (await onFreePort(commands)) as [string, string, string];
      const shell = await shellThatKnows('knsock');
      await using server = shell.start(serve);
      await server.says(/listening on/);
      expect(await shell.run(send)).toMatchObject({ code: 0, stdout: 'hello\n', stderr: '' });
      expect((await shell.run(refused)).code).toBe(67);
    },
  );

  it('prints only the files it made with --quiet', async () => {
    const { stdout } = await knsock(['certs', 'init', 'quietly', '--quiet'], { cwd: folder });
    const made = [
      'ca/root.crt',
      'issued/server.crt',
      'issued/server.key',
      'issued/client.crt',
      'issued/client.key',
    ];
    expect(stdout).toBe(`${made.map((file) => `quietly/${file}`).join('\n')}\n`);
  });

  it('makes keys readable only for their owner', async () => {
    for (const key of ['ca/root.key', 'issued/server.key', 'issued/client.key']) {
      expect((await stat(path.join(folder, 'certs', key))).mode & 0o777).toBe(0o600);
    }
  });

  it('overwrites nothing without --force, and never the CA', async () => {
    const read = (file: string) => readFile(path.join(folder, 'certs', file), 'utf8');
    const [ca, server] = [await read('ca/root.crt'), await read('issued/server.crt')];
    const refused = await knsock(['certs', 'init'], { cwd: folder });
    expect(refused).toMatchObject({ code: 23, stdout: '' });
    expect(refused.stderr).toContain('KNSOCK_CERTIFICATE_EXISTS');
    expect(await read('issued/server.crt')).toBe(server);
    expect((await knsock(['certs', 'init', '--force'], { cwd: folder })).code).toBe(0);
    expect(await read('ca/root.crt')).toBe(ca);
    expect(await read('issued/server.crt')).not.toBe(server);
  });
});

/** The commands on a port that is free, since 8443 may be in use where the tests run. */
async function onFreePort(commands: string[]): Promise<string[]> {
  const server = createServer().listen(0);
  const { port } = server.address() as { port: number };
  await promisify(server.close.bind(server))();
  return commands.map((command) => command.trim().replaceAll('8443', String(port)));
}

/** A shell in which the command is installed. */
async function shellThatKnows(name: string) {
  const shim = path.join(folder, name);
  await writeFile(shim, `#!/bin/sh\nexec ${knsockCommand.join(' ')} "$@"\n`);
  await chmod(shim, 0o755);
  const options = { cwd: folder, env: { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` } };
  return {
    start: (command: string) => new Running(spawn('/bin/sh', ['-c', `exec ${command}`], options)),
    run: (command: string) =>
      new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
        execFile('/bin/sh', ['-c', command], options, (error, stdout, stderr) => {
          resolve({ code: Number(error?.code ?? 0), stdout, stderr });
        });
      }),
  };
}
