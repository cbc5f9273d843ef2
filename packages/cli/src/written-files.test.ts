import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeFiles } from './written-files.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (name: string) => path.join(folder, name);
const pair = (key: string, certificate: string) => [
  { file: at(key), data: 'new key', mode: 0o600 },
  { file: at(certificate), data: 'new certificate', mode: 0o644 },
];
const isWindows = process.platform === 'win32';

it('writes both files of a pair, each with its mode', async () => {
  await writeFiles(pair('a.key', 'a.crt'));
  expect(await readFile(at('a.crt'), 'utf8')).toBe('new certificate');
  if (!isWindows) expect((await stat(at('a.key'))).mode & 0o777).toBe(0o600);
});

it.each([false, true])('leaves nothing of a pair whose second file fails (force: %s)', async (force) => {
  await expect(writeFiles(pair('a.key', 'missing/a.crt'), force)).rejects.toMatchObject({
    code: 'KNSOCK_WRITE',
    message: expect.stringContaining('missing/a.crt') as string,
  });
  expect(await readdir(folder)).toEqual([]);
});

it('keeps the old key if the new certificate can take no place', async () => {
  await writeFile(at('a.key'), 'old key');
  await mkdir(at('a.crt'));
  await writeFile(at('a.crt/kept'), '');
  await expect(writeFiles(pair('a.key', 'a.crt'), true)).rejects.toMatchObject({ code: 'KNSOCK_WRITE' });
  expect(await readFile(at('a.key'), 'utf8')).toBe('old key');
  expect((await readdir(folder)).sort()).toEqual(['a.crt', 'a.key']);
});

it('removes no file that was there before', async () => {
  await writeFile(at('a.crt'), 'old certificate');
  await expect(writeFiles(pair('a.key', 'a.crt'))).rejects.toMatchObject({
    code: 'KNSOCK_CERTIFICATE_EXISTS',
  });
  expect(await readdir(folder)).toEqual(['a.crt']);
  expect(await readFile(at('a.crt'), 'utf8')).toBe('old certificate');
});

it.skipIf(isWindows)('keeps a link, and replaces what it leads to', async () => {
  await writeFile(at('real.crt'), 'old');
  await symlink('real.crt', at('link.crt'));
  await writeFiles([{ file: at('link.crt'), data: 'new', mode: 0o644 }], true);
  expect(await readlink(at('link.crt'))).toBe('real.crt');
  expect(await readFile(at('real.crt'), 'utf8')).toBe('new');
});

it.skipIf(process.platform !== 'linux')('writes into a device, and says that it is full', async () => {
  await symlink('/dev/full', at('full'));
  const full = writeFiles([{ file: at('full'), data: 'new', mode: 0o644 }], true);
  await expect(full).rejects.toMatchObject({
    code: 'KNSOCK_WRITE',
    hint: expect.stringContaining('df -h') as string,
  });
  expect((await stat(at('full'))).isCharacterDevice()).toBe(true);
});

it.skipIf(isWindows)('refuses at once a pipe that no program reads, and leaves it', async () => {
  execFileSync('mkfifo', [at('pipe')]);
  const unread = writeFiles([{ file: at('pipe'), data: 'new', mode: 0o644 }], true);
  await expect(unread).rejects.toMatchObject({ hint: expect.stringContaining('pipe') as string });
  expect((await stat(at('pipe'))).isFIFO()).toBe(true);
});
