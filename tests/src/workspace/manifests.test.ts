import { expect, it } from 'vitest';
import { publishedPackages } from '../../../scripts/packages.mjs';

interface Manifest {
  readonly name: string;
  readonly files: readonly string[];
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly publishConfig: { readonly exports: Manifest['exports'] };
}

const manifests = publishedPackages().map(({ manifest }) => manifest as Manifest);

it.each(manifests.map((manifest) => [manifest.name, manifest] as const))(
  '%s publishes the exports of the workspace, minus the way to sources that it doesn’t ship',
  (_name, { files, exports, publishConfig }) => {
    const published = Object.entries(exports).map(([key, target]) => {
      if (typeof target === 'string') return [key, target];
      return [key, Object.fromEntries(Object.entries(target).filter(([name]) => name !== '@knsock/source'))];
    });
    expect(publishConfig.exports).toEqual(Object.fromEntries(published));
    expect(files).not.toContain('src');
  },
);
