import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';

it('loads the X.509 library with the first certificate, not before', async () => {
  const { cache } = createRequire(import.meta.url);
  const isLoaded = () => Object.keys(cache).some((file) => file.includes('@peculiar'));
  const { createSelfSigned, lint } = await import('./index.js');
  expect(isLoaded()).toBe(false);
  const { certificate } = await createSelfSigned({ names: ['a.test'] });
  expect(isLoaded()).toBe(true);
  expect(await lint(certificate)).toEqual([]);
});

it('loads it where the last synchronous stat of the process was of a FIFO', async ({ skip }) => {
  skip(process.platform === 'win32', 'Windows has no FIFOs');
  const folder = mkdtempSync(path.join(tmpdir(), 'knsock-fifo-'));
  const fifo = path.join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const { createSelfSigned, toPkcs12, fromPkcs12 } = await import('./index.js');
  const { certificate, key } = await createSelfSigned({ names: ['a.test'] });
  expect(statSync(fifo).isFIFO()).toBe(true);
  const pfx = await toPkcs12({ chain: certificate, key }, 'secret');
  expect((await fromPkcs12(pfx, 'secret')).key).toContain('PRIVATE KEY');
  rmSync(folder, { recursive: true });
});
