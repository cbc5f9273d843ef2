/** Credentials that follow their files, as a source for servers and clients. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSelfSigned } from '@knsock/certs';
import { watchCredentials } from '@knsock/core';
import { credentialSourceRules } from '@knsock/core/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-source-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('watchCredentials is a source that follows the rules', () => {
  const files = () => ({ certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') });

  async function write(): Promise<void> {
    const { certificate, key } = await createSelfSigned({ names: ['a.test'] });
    await Promise.all([writeFile(files().certFile, certificate), writeFile(files().keyFile, key)]);
  }

  const make = async () => {
    await write();
    const source = await watchCredentials(files(), { interval: 3_600_000, onError: () => undefined });
    let closed = false;
    const change = async (): Promise<void> => {
      await write();
      if (!closed) await source.reload();
    };
    return {
      source,
      change,
      close: () => {
        closed = true;
        source.close();
      },
    };
  };

  for (const { name, check } of credentialSourceRules(make)) it(name, check);
});
