// What a package brings along, as CycloneDX: `node ../../scripts/sbom.mjs` in a package's folder writes sbom.cdx.json,
// which is published with it. Dependencies are installed beside the package, bundled programs are inside its files.
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * The software bill of materials of a package: what it depends on, and what it carries inside.
 * @param {string} folder the package's
 * @returns {{ components: { name: string, 'bom-ref': string, purl: string, licenses?: object[] }[], dependencies: { ref: string, dependsOn: string[] }[], [field: string]: unknown }}
 */
export function billOfMaterials(folder) {
  const { manifest, found, beside, inside } = partsOf(folder);
  const own = [...beside, ...inside];
  const dependencies = [...found].map(([ref, { dependsOn }]) => ({ ref, dependsOn }));
  const root = purl(manifest);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { ...component(manifest), 'bom-ref': root } },
    components: [...found.values()].map((one) => one.component),
    dependencies: [{ ref: root, dependsOn: [...new Set(own)].sort() }, ...dependencies],
  };
}

/**
 * Everything that a package brings along, by its address, and which of it the package itself names: installed beside it,
 * or inside its files.
 * @param {string} folder the package's
 */
export function partsOf(folder) {
  const found = new Map();
  const manifest = manifestOf(folder);
  const visited = (names) => names.map((name) => visit(name, folder, found));
  const beside = visited(Object.keys(manifest.dependencies ?? {}));
  return { manifest, found, beside, inside: visited(bundled(manifest)) };
}

/** Programs of others that the build puts inside: what isn't our own among the devDependencies. */
function bundled({ devDependencies = {} }) {
  return Object.keys(devDependencies).filter((name) => !name.startsWith('@knsock/'));
}

function visit(name, from, found) {
  const folder = realpathSync(folderOf(name, from));
  const manifest = manifestOf(folder);
  const ref = purl(manifest);
  if (found.has(ref)) return ref;
  const entry = { folder, component: { ...component(manifest), 'bom-ref': ref }, dependsOn: [] };
  found.set(ref, entry);
  entry.dependsOn = Object.keys(manifest.dependencies ?? {})
    .map((below) => visit(below, folder, found))
    .sort();
  return ref;
}

/** Where a dependency is installed, as Node looks for it. */
function folderOf(name, from) {
  for (let at = from; ; at = path.dirname(at)) {
    const candidate = path.join(at, 'node_modules', name);
    if (existsSync(candidate)) return candidate;
    if (at === path.dirname(at)) throw new Error(`${name}, a dependency of ${from}, isn't installed`);
  }
}

function component({ name, version, license, description }) {
  return {
    type: 'library',
    name,
    version,
    ...(description === undefined ? {} : { description }),
    ...(license === undefined
      ? {}
      : { licenses: [/ (OR|AND) /.test(license) ? { expression: license } : { license: { id: license } }] }),
    purl: purl({ name, version }),
  };
}

function purl({ name, version }) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync('sbom.cdx.json', `${JSON.stringify(billOfMaterials(process.cwd()), null, 2)}\n`);
}
