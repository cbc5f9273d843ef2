import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settleFolder, writePair } from './pair.js';

let folder: string;
let paths: { certFile: string; keyFile: string };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-pair-'));
  paths = { certFile: join(folder, 'a.crt'), keyFile: join(folder, 'a.key') };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const contents = async () => [await readFile(paths.certFile, 'utf8'), await readFile(paths.keyFile, 'utf8')];

describe('a pair', () => {
  it('is written with the key for its owner alone', async () => {
    await writePair(paths, { chain: 'chain', key: 'key' }, { overwrite: false });
    expect(await contents()).toEqual(['chain', 'key']);
    expect((await stat(paths.keyFile)).mode & 0o777).toBe(0o600);
    expect((await readdir(folder)).sort()).toEqual(['a.crt', 'a.key']);
  });

  it.each(['a.crt', 'a.key'])("isn't written over a %s", async (file) => {
    await writeFile(join(folder, file), 'old');
    const refused = writePair(paths, { chain: 'chain', key: 'key' }, { overwrite: false });
    await expect(refused).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_EXISTS',
      file: join(folder, file),
    });
    expect(await readdir(folder)).toEqual([file]);
  });

  describe('whose change was interrupted', () => {
    beforeEach(async () => {
      await writePair(paths, { chain: 'old chain', key: 'old key' }, { overwrite: false });
    });

    it.each([
      ['before the certificate lay ready', ['.a.key.next'], 'old'],
      ['when both lay ready', ['.a.key.next', '.a.crt.next'], 'new'],
      ['between the two moves', ['.a.crt.next'], 'new'],
    ])('%s is settled', async (_, waiting, which) => {
      for (const file of waiting)
        await writeFile(join(folder, file), file.includes('key') ? 'new key' : 'new chain');
      if (!waiting.includes('.a.key.next')) await writeFile(paths.keyFile, 'new key');
      await settleFolder(folder);
      expect(await contents()).toEqual([`${which} chain`, `${which} key`]);
      expect((await readdir(folder)).sort()).toEqual(['a.crt', 'a.key']);
    });
  });
});
