/** A store on disks that can't be written: the command reports that at once, and changes nothing. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { knsock, knsockCommand } from '../support/command.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-disks-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');
const command = quoted(knsockCommand);

/** Runs a script with a file system of its own at `$M`, which no other process sees; `$K` is the command. */
function withDisk(options: string, script: string): string {
  const mounted = `mount -t tmpfs -o ${options} tmpfs "$M" && K="${command.replaceAll('"', '')}" && ${script}`;
  const env = { ...process.env, M: folder, NODE_NO_WARNINGS: '1' };
  const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', mounted], {
    encoding: 'utf8',
    env,
    timeout: 60_000,
  });
  return stdout + stderr;
}

/** Skips with the reason if no file system can be mounted. */
function needsMounts(context: TestContext): void {
  if (process.platform !== 'linux') context.skip("mount namespaces are Linux's");
  const said = withDisk('size=64k', 'echo mounted');
  if (!said.includes('mounted'))
    context.skip(`no file system can be mounted here (root is needed): ${said.trim()}`);
}

describe('a store on a read-only disk', () => {
  it('can be read, and reports that the disk is read-only when written', (context) => {
    needsMounts(context);
    const said = withDisk(
      'size=2m',
      `eval $K certs init "$M/s" >/dev/null && mount -o remount,ro "$M"
       eval $K certs issue a.test --store "$M/s"
       eval $K certs crl --store "$M/s"
       eval $K certs init "$M/new/store"
       eval $K certs expiry "$M/s"`,
    );
    expect(said.match(/the file system is read-only \(EROFS\)/g)).toHaveLength(3);
    expect(said.match(/code: +KNSOCK_CERTIFICATE_FILE/g)).toHaveLength(3);
    expect(said).not.toContain('there is no');
    expect(said).toMatch(/^good .*server\.crt/m);
  });
});

describe('a store on a full disk', () => {
  it.for([
    ['space', 'size=2m', 'dd if=/dev/zero of="$M/fill" bs=4k 2>/dev/null'],
    ['inodes', 'size=2m,nr_inodes=60', 'i=0; while touch "$M/fill-$i" 2>/dev/null; do i=$((i+1)); done'],
  ] as const)('says that no %s is left, and issues again when there is', ([, options, fill], context) => {
    needsMounts(context);
    const said = withDisk(
      options,
      `eval $K certs init "$M/s" >/dev/null; ${fill}
       eval $K certs issue a.test --store "$M/s"
       eval $K certs issue b.test --store "$M/s"
       rm -f "$M"/fill*
       eval $K certs issue a.test --store "$M/s" && eval $K certs crl --store "$M/s" --json
       ls -A "$M/s" "$M/s/issued" "$M/s/ca"`,
    );
    expect(said.match(/no space or no inodes are left on the file system \(ENOSPC\)/g)).toHaveLength(2);
    expect(said).not.toContain('there is no');
    expect(said).toMatch(/^a\.test\.key$/m);
    expect(said).not.toMatch(/\.(tmp|next)$/m);
  });
});

describe('a store where no folder can be', () => {
  it.each(['/proc/x', '/proc/self/x/y', '/dev/null/x'])('%s is refused at once', async (place) => {
    const { code, stderr } = await knsock(['certs', 'init', place]);
    expect(stderr).toContain('KNSOCK_CERTIFICATE_FILE');
    expect(stderr).toContain(place.startsWith('/dev') ? 'ENOTDIR' : 'takes no folders');
    expect(code).not.toBe(0);
  });
});
