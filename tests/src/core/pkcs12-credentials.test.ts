import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createAuthority, toPkcs12, type Issued } from '@knsock/certs';
import { createCredentials, loadCredentials } from '@knsock/core';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';

// A PKCS#12 file is another way to give the same credentials.

describe('credentials from a PKCS#12 file', () => {
  let issued: Issued;
  let pfx: Buffer;

  beforeAll(async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const intermediate = await root.intermediate({ commonName: 'Intermediate' });
    issued = await intermediate.issue({ kind: 'server', names: ['a.test'] });
    pfx = await toPkcs12({ chain: issued.chain, key: issued.key }, 'secret');
  });

  it('are the same as those of the PEM files that it was made from', () => {
    const fromPem = createCredentials({ cert: issued.chain, key: issued.key });
    const fromPfx = createCredentials({ pfx, passphrase: 'secret' });
    expect(fromPfx.chain.map(({ pem }) => pem)).toEqual(fromPem.chain.map(({ pem }) => pem));
    expect(fromPfx.chain).toHaveLength(2);
    expect(fromPfx.material).toEqual(fromPem.material);
    expect(fromPfx.version).toBe(fromPem.version);
  });

  it('report that the passphrase is wrong, and in which file', async () => {
    const file = await written(pfx);
    await expect(loadCredentials({ pfxFile: file, passphrase: 'other' })).rejects.toMatchObject({
      code: 'KNSOCK_CREDENTIALS_PASSPHRASE',
      file,
      message: expect.stringContaining(file) as unknown,
    });
  });

  it('report a truncated file as malformed', async () => {
    const file = await written(pfx.subarray(0, 100));
    await expect(loadCredentials({ pfxFile: file, passphrase: 'secret' })).rejects.toMatchObject({
      code: 'KNSOCK_CREDENTIALS_MALFORMED',
      file,
    });
  });
});

async function written(bytes: Uint8Array): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'knsock-pfx-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'server.p12');
  await writeFile(file, bytes);
  return file;
}
