import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { filesBelow } from './files-below.js';

const folder = mkdtempSync(path.join(tmpdir(), 'knsock-test-'));
afterAll(() => execFileSync('rm', ['-rf', folder]));

it.skipIf(process.platform === 'win32')(
  "lists a folder that can't be read, and the files elsewhere",
  async () => {
    // Root reads every folder, except one whose path is longer than the system takes.
    const down =
      "for (let n = 0; n < 20; n++) { fs.mkdirSync('d'.repeat(250)); process.chdir('d'.repeat(250)); }";
    execFileSync(process.execPath, ['-e', down], { cwd: folder });
    writeFileSync(path.join(folder, 'z.crt'), '');
    const [unread, ...files] = await filesBelow(folder, /\.crt$/);
    expect(path.basename(unread ?? '')).toBe('d'.repeat(250));
    expect(files).toEqual([path.join(folder, 'z.crt')]);
  },
);

it('lists a folder that is gone', async () => {
  const gone = path.join(folder, 'gone');
  expect(await filesBelow(gone, /\.crt$/)).toEqual([gone]);
});
