import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder } from './atomic-file.js';

it('says that a file is in the place of a folder, and leaves it alone', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'knsock-folder-'));
  const file = join(dir, 'store');
  await writeFile(file, 'mine');
  const refused = {
    code: 'KNSOCK_CERTIFICATE_FILE',
    file,
    message: expect.stringContaining('not a folder') as unknown,
  };
  await expect(makeFolder(file)).rejects.toMatchObject(refused);
  expect(await readFile(file, 'utf8')).toBe('mine');
  await rm(dir, { recursive: true });
});
