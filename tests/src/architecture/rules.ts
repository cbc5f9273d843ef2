// The rules of the house as pure functions: they read source files and return a sentence for each violation.
import path from 'node:path';
import {
  entryFiles,
  foldersAbove,
  layerAdvice,
  matchesName,
  packageAdvice,
  packageImports,
  relativeAdvice,
  testImports,
} from '../../../scripts/architecture/layers.mjs';
import { target, type Import, type SourceFile } from './source-files.js';

const maxLines = 300;
/** One state machine or one protocol each, which read worse in two rooms; no larger than this. */
const longer: Readonly<Record<string, number>> = {
  'packages/core/src/connection/connection.ts': 375,
  'packages/core/src/connection/connection-core.ts': 510,
  'packages/core/src/connection/connection-end.ts': 500,
  'packages/core/src/connection/fifo-protocol.ts': 340,
  'packages/core/src/connection/knsock-protocol.ts': 430,
  'packages/core/src/connection/lifecycle.ts': 340,
  'packages/pool/src/pool/pool.ts': 320,
};
const nameless = new Set(['utils.ts', 'util.ts', 'helpers.ts', 'types.ts', 'common.ts', 'misc.ts']);
const unitTest = /\.test\.ts$/;
const place = /^packages\/(?<name>core|certs|pool|cli)\/src\/(?<inside>.+)$/;

/** Every rule that a file breaks by itself, one sentence each. */
export function violations(file: SourceFile): string[] {
  const found = [
    ...shape(file),
    ...file.imports.flatMap((used) => outsideImport(file, used) ?? layerImport(file, used)),
  ];
  return found.map((sentence) => `${file.path}: ${sentence}`);
}

/** Every circle of files that import one another, as `a → b → a`. */
export function cycles(files: readonly SourceFile[]): string[] {
  const edges = new Map(files.map((file) => [file.path, relativeTargets(file)]));
  const found = new Set<string>();
  const done = new Set<string>();
  const walk = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start !== -1) found.add([...trail.slice(start), file].join(' → '));
    if (start !== -1 || done.has(file)) return;
    for (const next of edges.get(file) ?? []) walk(next, [...trail, file]);
    done.add(file);
  };
  for (const file of edges.keys()) walk(file, []);
  return [...found];
}

function shape(file: SourceFile): string[] {
  const found: string[] = [];
  const limit = longer[file.path] ?? maxLines;
  if (file.lines > limit && !unitTest.test(file.path)) {
    found.push(
      `${file.lines} lines are over the limit of ${limit}: which two things is it? Give each a file.`,
    );
  }
  if (nameless.has(path.posix.basename(file.path))) {
    found.push('a file is called by the noun it is about; this name says nothing about what is inside.');
  }
  if (file.exportsStar) found.push('export by name instead of `export *`: an index is a list for readers.');
  if (file.otherApostrophe)
    found.push("a source has ' for every apostrophe; pages have the typographic one.");
  return found;
}

function outsideImport({ path: from }: SourceFile, used: Import): string[] | undefined {
  const { name, inside } = place.exec(from)?.groups ?? {};
  if (name === undefined || inside === undefined) return undefined;
  if (used.name.startsWith('node:')) return [];
  if (used.name.startsWith('.'))
    return staysInside(from, used) ? undefined : [`'${used.name}': ${relativeAdvice}`];
  return allowed(name, inside, used) ? [] : [`'${used.name}': ${packageAdvice[name] ?? ''}`];
}

function allowed(name: string, inside: string, used: Import): boolean {
  const rule = packageImports[name];
  if (rule === undefined) return false;
  const names = [...rule.names, ...(rule.only[inside] ?? []), ...(unitTest.test(inside) ? testImports : [])];
  return matchesName(used.name, used.typeOnly ? [...names, ...rule.types] : names);
}

function staysInside(from: string, used: Import): boolean {
  const root = from.split('/').slice(0, 3).join('/');
  return target(from, used.name).startsWith(`${root}/`);
}

function layerImport({ path: from }: SourceFile, used: Import): string[] {
  const { name, inside } = place.exec(from)?.groups ?? {};
  if (name === undefined || inside === undefined || !used.name.startsWith('.')) return [];
  if (unitTest.test(from) || entryFiles.includes(inside)) return [];
  const folder = folderOf(inside);
  const other = folderOf(place.exec(target(from, used.name))?.groups?.['inside'] ?? '');
  if (other === undefined || !foldersAbove(name, folder).includes(other)) return [];
  return [`'${used.name}': ${layerAdvice(folder)}`];
}

function folderOf(inside: string): string | undefined {
  return /^([^/]+)\//.exec(inside)?.[1];
}

function relativeTargets(file: SourceFile): string[] {
  return file.imports.filter((used) => used.name.startsWith('.')).map((used) => target(file.path, used.name));
}
