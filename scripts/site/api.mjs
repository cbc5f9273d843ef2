// The API reference: Markdown pages that typedoc makes of the docstrings, one for each export.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Application, Converter, ReflectionKind } from 'typedoc';
import { publishedPackages } from '../packages.mjs';
import { root } from '../process.mjs';
import { publicSymbols, symbolList } from './symbols.mjs';

/** Shared by the packages of this workspace, and a file that core runs in a thread: neither is for programs. */
const internal = ['@knsock/core/options', '@knsock/core/sync-worker'];

const documented =
  ReflectionKind.ClassOrInterface |
  ReflectionKind.FunctionOrMethod |
  ReflectionKind.TypeAlias |
  ReflectionKind.Variable |
  ReflectionKind.Property |
  ReflectionKind.Accessor;

const options = {
  plugin: ['typedoc-plugin-markdown'],
  tsconfig: path.join(root, 'tsconfig.json'),
  name: 'API',
  readme: 'none',
  logLevel: 'Error',
  skipErrorChecking: true, // the types are checked by `npm run check`
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  disableSources: true,
  validation: false,
  outputFileStrategy: 'members',
  entryFileName: 'index',
  hidePageHeader: true,
  hideBreadcrumbs: true,
  expandObjects: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  propertyMembersFormat: 'table',
};

/**
 * Writes the pages.
 * @param {string} folder where to
 * @returns {Promise<{ symbols: number, missing: string[], modules: import('./symbols.mjs').Module[] }>} how many public
 *   symbols there are, the names of those without a docstring, and the pages of each entry
 */
export async function writeApi(folder) {
  const entries = publicEntries();
  const app = await Application.bootstrapWithPlugins({ ...options, entryPoints: [...entries.values()] });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) module.name = entryOf(entries, module.name);
  });
  const project = await app.convert();
  if (project === undefined) throw new Error("typedoc can't read the sources");
  app.options.setValue('outputs', [{ name: 'markdown', path: folder }]);
  await app.generateOutputs(project);
  const modules = publicSymbols(folder, [...entries.keys()]);
  writeFileSync(path.join(folder, 'index.md'), symbolList(modules));
  const symbols = project.getReflectionsByKind(documented).filter(isOwn);
  return {
    symbols: symbols.length,
    missing: symbols.filter((one) => !isDocumented(one)).map((one) => one.getFullName()),
    modules,
  };
}

/** The source of each entry that programs import, by its name. */
function publicEntries() {
  const entries = new Map();
  for (const { folder, manifest } of publishedPackages()) {
    for (const [entry, target] of Object.entries(manifest.exports)) {
      const source = target['@knsock/source'];
      const name = path.posix.join(manifest.name, entry);
      if (source !== undefined && !internal.includes(name)) entries.set(name, path.join(folder, source));
    }
  }
  return entries;
}

/** typedoc calls an entry by its path below packages/, without what every entry has. */
function entryOf(entries, name) {
  const shortened = (file) =>
    path
      .relative(path.join(root, 'packages'), file)
      .replaceAll(path.sep, '/')
      .replace(/(\/index)?\.ts$/, '');
  const found = [...entries].find(([, file]) => shortened(file) === name);
  if (found === undefined) throw new Error(`${name} is none of the packages' entries`);
  return found[0];
}

/**
 * Fields of nameless types are described with what has the type; a field that always has one value, and the language's own
 * symbols, need no words.
 */
function isOwn({ inheritedFrom, flags, name, parent, type }) {
  return (
    inheritedFrom === undefined &&
    flags.isExternal !== true &&
    !name.startsWith('[') &&
    parent?.kindOf(ReflectionKind.TypeLiteral) !== true &&
    type?.type !== 'literal'
  );
}

function isDocumented(reflection) {
  const { type, signatures = [], getSignature, setSignature } = reflection;
  const inside = type?.type === 'reflection' ? (type.declaration.signatures ?? []) : [];
  return [reflection, getSignature, setSignature, ...signatures, ...inside].some(
    (one) => one?.hasComment() === true,
  );
}
