import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCertificates } from '@knsock/core/x509';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSelfSigned } from '../issuing/issue.js';
import { AcmeFolder } from './acme-folder.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'knsock-acme-folder-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('the certificate of an ACME folder', () => {
  it('is there with its key', async () => {
    const { folder, fingerprint } = await filled({});
    expect((await folder.leaf())?.fingerprint256).toBe(fingerprint);
  });

  it.each(['', 'garbage', '-----BEGIN CERTIFICATE-----\nMIIB', '\0\0\0\0'])(
    'is as absent, and its order not finished, if either file holds %j',
    async (text) => {
      for (const damaged of [{ cert: text }, { key: text }, { cert: text, key: text }]) {
        const { folder, key } = await filled(damaged);
        expect(await folder.leaf()).toBeUndefined();
        const order = { directory: 'https://ca.example/', profile: undefined, names: 'a.example' };
        await folder.keepOrder({ ...order, key: damaged.cert === undefined ? text : key }, placed);
        expect(await folder.isUnsettled()).toBe(false);
      }
    },
  );
});

describe('an order', () => {
  const order = { directory: 'https://ca.example/', profile: undefined, names: 'a.example', key: 'a key' };

  it('is kept with its key while it is placed, then with its URL, and leaves nothing else', async () => {
    const folder = new AcmeFolder(dir);
    const url = await folder.keepOrder(order, async () => {
      expect(await folder.pendingOrder()).toEqual({ ...order, url: undefined });
      return placed();
    });
    expect(await folder.pendingOrder()).toEqual({ ...order, url });
    expect(await readdir(dir)).toEqual(['.order.json']);
  });

  it('that is refused leaves its key alone', async () => {
    const folder = new AcmeFolder(dir);
    await expect(folder.keepOrder(order, () => Promise.reject(new Error('refused')))).rejects.toThrow(
      'refused',
    );
    expect(await folder.pendingOrder()).toEqual({ ...order, url: undefined });
    expect(await readdir(dir)).toEqual(['.order.json']);
  });
});

const placed = () => Promise.resolve('https://ca.example/order/1');

async function filled(damaged: { cert?: string; key?: string }) {
  const made = await createSelfSigned({ kind: 'server', names: ['a.example'] });
  const folder = new AcmeFolder(dir);
  await writeFile(folder.certFile, damaged.cert ?? made.chain);
  await writeFile(folder.keyFile, damaged.key ?? made.key);
  return { folder, key: made.key, fingerprint: parseCertificates(made.chain)[0]?.fingerprint256 };
}
