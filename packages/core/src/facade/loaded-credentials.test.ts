import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeCertificate } from '../testing/made-certificates.js';
import { loadedCredentials } from './loaded-credentials.js';

const folder = mkdtempSync(path.join(tmpdir(), 'knsock-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it('remembers 32 sets of files, forgets the oldest, and loads that anew when it is named again', async () => {
  const cafile = path.join(folder, 'ca.pem');
  writeFileSync(cafile, makeCertificate({ commonName: 'CA', isAuthority: true }).pem);
  const load = (n: number) =>
    loadedCredentials({ cafile, certfile: undefined, keyfile: undefined }, `as it was at ${n}`);
  const first = await load(0);
  const second = await load(1);
  for (let n = 2; n < 32; n += 1) await load(n);
  expect(await load(0)).toBe(first);
  await load(32);
  expect(await load(1)).toBe(second);
  const again = await load(0);
  expect(again).not.toBe(first);
  expect(again.version).toBe(first.version);
});
