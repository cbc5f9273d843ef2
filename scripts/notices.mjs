// The notices of a package: `node ../../scripts/notices.mjs` in its folder writes THIRD-PARTY-LICENSES, which is
// published with it: the licences of what its files carry inside, and the names of what is installed beside it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { partsOf } from './sbom.mjs';

/**
 * @param {string} folder the package's
 * @returns {string}
 * @throws Error for a program inside that has no licence to show
 */
export function notices(folder) {
  const { manifest, found, inside } = partsOf(folder);
  const carried = reachable(inside, found);
  const installed = [...found.keys()].filter((ref) => !carried.has(ref) && !isOurs(found.get(ref)));
  const texts = [...carried].map((ref) => licenceOf(found.get(ref)));
  return [
    texts.length > 0
      ? `The files of ${manifest.name} carry these programs inside.`
      : `The files of ${manifest.name} carry no program of others inside.`,
    ...texts,
    ...(installed.length > 0 ? [listOf(installed.map((ref) => found.get(ref)))] : []),
  ]
    .join('\n\n')
    .concat('\n');
}

function reachable(refs, found, seen = new Set()) {
  for (const ref of refs) {
    if (seen.has(ref)) continue;
    seen.add(ref);
    reachable(found.get(ref).dependsOn, found, seen);
  }
  return seen;
}

function isOurs({ component: { name } }) {
  return name.startsWith('@knsock/');
}

function licenceOf({ component: { name, version }, folder }) {
  const file = readdirSync(folder).find((one) => /^licen[cs]e(\.(md|txt))?$/i.test(one));
  if (file === undefined) throw new Error(`${name} has no licence file, and is inside a package`);
  return `── ${name} ${version} ──\n\n${readFileSync(path.join(folder, file), 'utf8').trim()}`;
}

function listOf(parts) {
  const lines = parts.map(({ component: { name, version, licenses = [] } }) => {
    const names = licenses.map(({ expression, license }) => expression ?? license.id);
    return `${name} ${version} (${names.join(', ')})`;
  });
  return `Installed beside them, each with its own licence:\n\n${lines.sort().join('\n')}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync('THIRD-PARTY-LICENSES', notices(process.cwd()));
}
