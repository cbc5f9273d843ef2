import { expect, it } from 'vitest';
import path from 'node:path';
import { repositoryAddress } from '../../../packages/core/src/errors/documentation.js';
import { publishedPackages } from '../../../scripts/packages.mjs';

import { addressed } from '../docs/manifests.js';

interface Manifest {
  readonly name: string;
  readonly files: readonly string[];
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly publishConfig: { readonly exports: Manifest['exports'] };
}

const manifests = publishedPackages().map(({ manifest }) => manifest as Manifest);

it.each(manifests.map((manifest) => [manifest.name, manifest] as const))(
  "%s publishes the exports of the workspace, minus the way to sources that it doesn't ship",
  (_name, { files, exports, publishConfig }) => {
    const published = Object.entries(exports).map(([key, target]) => {
      if (typeof target === 'string') return [key, target];
      return [key, Object.fromEntries(Object.entries(target).filter(([name]) => name !== '@knsock/source'))];
    });
    expect(publishConfig.exports).toEqual(Object.fromEntries(published));
    expect(files).not.toContain('src');
  },
);

it.each(publishedPackages().map(({ folder, manifest }) => [path.basename(folder), manifest] as const))(
  'the manifest of %s has the address of the project (npm run format writes it)',
  (folder, manifest: Record<string, unknown>) => {
    expect(manifest).toEqual(addressed(manifest, folder, repositoryAddress));
  },
);

it('puts the address into a manifest, once it is known', () => {
  const address = 'https://example.org/owner/name';
  expect(addressed({ name: 'a' }, 'core', address)).toEqual({
    name: 'a',
    homepage: `${address}#readme`,
    repository: { type: 'git', url: `git+${address}.git`, directory: 'packages/core' },
  });
  expect(addressed({ name: 'a', homepage: address }, 'core', '')).toEqual({ name: 'a' });
});
