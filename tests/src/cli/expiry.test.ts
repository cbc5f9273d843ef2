import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { toPem } from '@knsock/core/x509';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { knsock } from '../support/command.js';
import { issueServer } from '../x509/issue.js';

const hour = 3_600_000;
const day = 24 * hour;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-expiry-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([
  [-2 * day, -1.5 * hour, 'expired +1 hour ago', 0],
  [-9 * day, -3.5 * day, 'expired +3 days ago', -3],
  [-2 * day, 5.5 * hour, 'due +5 hours', 0],
  [-2 * day, 0.5 * hour, 'due +29 minutes', 0],
  [-2 * day, 90.5 * day, 'good +90 days', 90],
  [1.5 * hour, 90.5 * day, 'not-yet-valid +from 20', 90],
])(
  'of a certificate from %d to %d ms from now, certs expiry says "%s"',
  async (start, end, words, daysLeft) => {
    const file = path.join(folder, 'server.crt');
    const [notBefore, notAfter] = [new Date(Date.now() + start), new Date(Date.now() + end)];
    await writeFile(
      file,
      toPem('CERTIFICATE', issueServer({ names: ['DNS:a.test'], notBefore, notAfter }).der),
    );
    expect((await knsock(['certs', 'expiry', file])).stdout).toMatch(new RegExp(`^${words}`));
    const { stdout } = await knsock(['certs', 'expiry', file, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ daysLeft });
  },
);
