// The published packages, as their manifests describe them.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './process.mjs';

/** The folders and manifests of packages/*, in the order of their names. */
export function publishedPackages() {
  return readdirSync(path.join(root, 'packages'))
    .sort()
    .map((name) => {
      const folder = path.join(root, 'packages', name);
      return { folder, manifest: JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) };
    });
}

/** The file that packing a package makes. */
export function tarballOf({ name, version }) {
  return `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
}
