import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readWhole } from './read-whole.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-read-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => path.join(folder, name);

describe('readWhole', () => {
  it.each([0, 1, 65_536, 65_537, 200_000])('reads a file of %i bytes', async (size) => {
    const content = Buffer.alloc(size, 'certificate ');
    await writeFile(at('file'), content);
    expect(content.equals(await readWhole(at('file')))).toBe(true);
  });

  it('refuses one byte more than the limit, and takes as many', async () => {
    await writeFile(at('file'), 'abcd');
    expect((await readWhole(at('file'), { maxBytes: 4 })).toString()).toBe('abcd');
    const refused = readWhole(at('file'), { maxBytes: 3 });
    await expect(refused).rejects.toMatchObject({
      code: 'EFBIG',
      message: 'it is over the limit of 3 bytes',
    });
  });

  it("passes on the system's errors", async () => {
    await expect(readWhole(at('none'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(readWhole(folder)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});

describe.skipIf(process.platform === 'win32')('readWhole of what is no file', () => {
  it('ends at the limit of an endless device', async () => {
    await expect(readWhole('/dev/zero', { maxBytes: 1_000_000 })).rejects.toMatchObject({ code: 'EFBIG' });
  });

  it('reads an empty device', async () => {
    expect(await readWhole('/dev/null')).toHaveLength(0);
  });

  it('gives up on a pipe without a writer', async () => {
    execFileSync('mkfifo', [at('unwritten')]);
    const refused = readWhole(at('unwritten'), { silence: 20 });
    await expect(refused).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('ends the wait for a pipe at the signal', async () => {
    execFileSync('mkfifo', [at('awaited')]);
    const abort = new AbortController();
    const refused = readWhole(at('awaited'), { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(refused).rejects.toThrow('enough');
  });

  it('reads what is written to a pipe, also by a writer that comes later', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    const content = Buffer.alloc(300_000, 'key ');
    const reading = readWhole(at('pipe'));
    await writeFile(at('pipe'), content, { flag: 'a' });
    expect(content.equals(await reading)).toBe(true);
  });
});
