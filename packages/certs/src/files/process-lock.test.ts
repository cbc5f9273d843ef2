import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hostName, hostParts } from './lock-owner.js';
import { withProcessLock } from './process-lock.js';

let folder: string;
let directory: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-lock-'));
  directory = join(folder, '.lock');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const options = { timeout: 10_000 };
const host = hostName(await hostParts());

describe('a process lock', () => {
  it('has one holder at a time, and leaves nothing behind', async () => {
    let inside = 0;
    const work = async () => {
      inside += 1;
      expect(inside).toBe(1);
      await new Promise(setImmediate);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 12 }, () => withProcessLock(directory, options, work)));
    expect(await readdir(folder)).toEqual([]);
  });

  it('is free again after work that failed', async () => {
    await expect(
      withProcessLock(directory, options, () => Promise.reject(new Error('failed'))),
    ).rejects.toThrow('failed');
    expect(await withProcessLock(directory, options, () => Promise.resolve('done'))).toBe('done');
  });

  it('removes what a dead process left', async () => {
    await mkdir(directory);
    await writeFile(join(directory, `1-${host}-4194303-1-aaaaaaaaaaaa`), '');
    await writeFile(join(directory, `drawing-${host}-4194303-1-bbbbbbbbbbbb`), '');
    // The same pid as ours, started at another time: it was reused.
    if (process.platform === 'linux')
      await writeFile(join(directory, `1-${host}-${process.pid}-1-cccccccccccc`), '');
    expect(await withProcessLock(directory, options, () => Promise.resolve('done'))).toBe('done');
    expect(await readdir(folder)).toEqual([]);
  });

  it('waits for a process of another container while that touches its ticket, and no longer', async () => {
    await mkdir(directory);
    const held = join(directory, '1-00000000-42-1-aaaaaaaaaaaa');
    const touchedAgo = async (seconds: number) => {
      const then = new Date(Date.now() - seconds * 1_000);
      await writeFile(held, '');
      await utimes(held, then, then);
      return withProcessLock(directory, { timeout: 20 }, () => Promise.resolve('done'));
    };
    await expect(touchedAgo(50)).rejects.toMatchObject({ hint: expect.stringContaining(held) as string });
    await expect(touchedAgo(70)).resolves.toBe('done');
  });

  it('touches its own ticket while it holds one', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await withProcessLock(directory, options, async () => {
      const ticket = join(directory, (await readdir(directory))[0] ?? '');
      const before = (await stat(ticket)).mtimeMs;
      await vi.advanceTimersByTimeAsync(5_000);
      await vi.waitFor(async () => {
        expect((await stat(ticket)).mtimeMs).toBeGreaterThan(before);
      });
    });
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('names the holder on timeout', async () => {
    await mkdir(directory);
    const held = join(directory, '1-00000000-42-1-aaaaaaaaaaaa');
    await writeFile(held, '');
    const waiting = withProcessLock(directory, { timeout: 20 }, () => Promise.resolve());
    await expect(waiting).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_LOCKED',
      file: held,
      retryable: true,
    });
    expect(await readdir(directory)).toEqual(['1-00000000-42-1-aaaaaaaaaaaa']);
  });

  it('warns a process that was taken for dead, before it writes', async () => {
    const late = withProcessLock(directory, options, async (lock) => {
      await lock.check();
      for (const file of await readdir(directory)) await rm(join(directory, file));
      await lock.check();
    });
    await expect(late).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_LOCKED', retryable: true });
  });

  it('distinguishes hosts by the boot of their kernel and the namespace of their pids', async () => {
    const parts = await hostParts();
    expect(await hostParts()).toEqual(parts);
    expect(hostName(['boot', 'pid:[1]'])).not.toBe(hostName(['boot', 'pid:[2]']));
    expect(hostName(['boot', 'pid:[1]'])).not.toBe(hostName(['other', 'pid:[1]']));
    if (process.platform === 'linux') {
      const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
      expect(parts).toEqual([boot.trim(), await readlink('/proc/self/ns/pid')]);
    }
  });

  it("isn't made where its own folder is missing, and says so", async () => {
    const lost = withProcessLock(join(folder, 'missing', '.lock'), options, () => Promise.resolve());
    await expect(lost).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_NOT_FOUND' });
  });

  it('stops waiting with its signal', async () => {
    await mkdir(directory);
    await writeFile(join(directory, '1-00000000-42-1-aaaaaaaaaaaa'), '');
    const closing = new AbortController();
    const waiting = withProcessLock(directory, { ...options, signal: closing.signal }, () =>
      Promise.resolve(),
    );
    const reason = new Error('enough');
    closing.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});
