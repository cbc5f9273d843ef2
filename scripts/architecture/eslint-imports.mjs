// The import rules of layers.mjs as lint, so that an editor shows them while you type.
import {
  foldersAbove,
  layerAdvice,
  levels,
  packageAdvice,
  packageImports,
  relativeAdvice,
  testImports,
} from './layers.mjs';

const tests = '**/*.test.ts';

/** Flat-config blocks: one per folder of core, one per package; a later block replaces an earlier one. */
export const importRules = [
  ...Object.keys(packageImports).flatMap((name) => packageBlocks(name)),
  ...Object.entries(levels).flatMap(([name, order]) =>
    order.flat().map((folder) => layerBlock(name, folder)),
  ),
];

function packageBlocks(name) {
  const source = `packages/${name}/src`;
  const { names, types, only } = packageImports[name];
  return [
    block([`${source}/**/*.ts`], [tests], [outside(name, names, types)]),
    block([`${source}/**/*.test.ts`], [], [outside(name, [...names, ...testImports], types)]),
    ...Object.entries(only).map(([file, more]) =>
      block([`${source}/${file}`], [], [outside(name, [...names, ...more], types)]),
    ),
  ];
}

function layerBlock(name, folder) {
  const above = foldersAbove(name, folder).join('|');
  const layer = { regex: `^(\\.\\./)+(${above})/`, message: layerAdvice(folder) };
  const source = `packages/${name}/src/${folder}/**/*.ts`;
  const { names, types, only } = packageImports[name];
  const excepted = Object.keys(only).map((file) => `packages/${name}/src/${file}`);
  return block(
    [source],
    [tests, ...excepted],
    [outside(name, names, types), ...(above === '' ? [] : [layer])],
  );
}

// Everything but node:, relative paths inside the package and the names allowed.
function outside(name, names, types) {
  const allowed = [...names, ...types].map((pattern) => pattern.replace('*', '.*') + '$');
  return [
    { regex: `^(?!node:|\\.|${allowed.join('|') || 'node:'})`, message: packageAdvice[name] },
    ...types
      .filter((type) => !names.includes(type))
      .map((type) => ({ regex: `^${type}$`, message: packageAdvice[name], allowTypeImports: true })),
    { regex: '^(\\.\\./)+(packages/|tests/|(core|certs|pool|cli)/(src|dist)/)', message: relativeAdvice },
  ];
}

function block(files, ignores, patterns) {
  const rule = ['error', { patterns: patterns.flat() }];
  return { files, ignores, rules: { '@typescript-eslint/no-restricted-imports': rule } };
}
