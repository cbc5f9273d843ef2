/** Certificate policies as flags of the commands that verify: the inputs of RFC 5280 6.1.1. */
import { toPem } from '@knsock/core/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock } from '../support/command.js';
import { extension, issueCa, issueServer, oid, sequence } from '../x509/issue.js';

const gold = '1.3.6.1.4.1.55555.1';
const silver = '1.3.6.1.4.1.55555.2';
const any = '2.5.29.32.0';
const policies = (...ids: readonly string[]) =>
  extension('2.5.29.32', sequence(...ids.map((id) => sequence(oid(id)))));
const maps = (from: string, to: string) =>
  extension('2.5.29.33', sequence(sequence(oid(from), oid(to))), true);

let files: CertificateFolder;
beforeAll(async () => {
  files = await createCertificateFolder();
  const dates = {
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 30 * 86_400_000),
  };
  const root = issueCa({ subject: 'CN=Root', ...dates });
  const below = (name: string, ...extensions: readonly Buffer[]) =>
    issueCa({ subject: `CN=${name}`, issuer: root, extensions, ...dates });
  const plain = below('Plain', policies(gold));
  const mapping = below('Mapping', policies(gold), maps(gold, silver));
  const open = below('Open', policies(any));
  const leaves = {
    gold: [plain, issueServer({ issuer: plain, extensions: [policies(gold)], ...dates })],
    none: [plain, issueServer({ issuer: plain, ...dates })],
    mapped: [mapping, issueServer({ issuer: mapping, extensions: [policies(silver)], ...dates })],
    open: [open, issueServer({ issuer: open, extensions: [policies(gold)], ...dates })],
  };
  await files.write('root.pem', toPem('CERTIFICATE', root.der));
  for (const [name, chain] of Object.entries(leaves))
    await files.write(
      `${name}.pem`,
      chain
        .toReversed()
        .map(({ der }) => toPem('CERTIFICATE', der))
        .join(''),
    );
});
afterAll(() => files[Symbol.asyncDispose]());

const verify = async (name: string, ...flags: string[]) =>
  (await knsock(['certs', 'verify', files.at(`${name}.pem`), '--ca', files.at('root.pem'), ...flags])).code;

describe('certs verify', () => {
  it('requires a policy where asked to, and one of those that are named', async () => {
    expect(await verify('none')).toBe(0);
    expect(await verify('none', '--explicit-policy')).toBe(60);
    expect(await verify('gold', '--explicit-policy')).toBe(0);
    expect(await verify('gold', '--explicit-policy', '--policy', silver)).toBe(60);
    expect(await verify('gold', '--explicit-policy', '--policy', silver, '--policy', gold)).toBe(0);
  });

  it('takes a mapped policy and anyPolicy unless they are inhibited', async () => {
    expect(await verify('mapped', '--explicit-policy')).toBe(0);
    expect(await verify('mapped', '--explicit-policy', '--inhibit-mapping')).toBe(60);
    expect(await verify('open', '--explicit-policy')).toBe(0);
    expect(await verify('open', '--explicit-policy', '--inhibit-any')).toBe(60);
  });

  it('refuses what is no identifier', async () => {
    const { code, stderr } = await knsock(['certs', 'verify', 'x', '--ca', 'y', '--policy', 'gold']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--policy.*object identifier such as 1\.3\.6/);
  });
});

describe('check', () => {
  it('verifies files by the same policies', async () => {
    const check = (...flags: string[]) =>
      knsock(['check', files.at('none.pem'), '--ca', files.at('root.pem'), ...flags]);
    expect((await check()).stdout).not.toContain('wrong-usage');
    expect((await check('--explicit-policy')).stdout).toContain('wrong-usage');
  });
});
