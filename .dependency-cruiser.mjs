// The import rules of scripts/architecture/layers.mjs over the whole graph, and what lint can't see: cycles,
// imports that lead nowhere, packages that no manifest lists.
import { foldersAbove, layerAdvice, levels, packageAdvice } from './scripts/architecture/layers.mjs';

const unitTests = '[.]test[.]ts$';

const layers = Object.entries(levels).flatMap(([name, order]) =>
  order.flat().flatMap((folder) => layer(name, folder)),
);

function layer(name, folder) {
  const above = foldersAbove(name, folder);
  if (above.length === 0) return [];
  return {
    name: `${name}-${folder}`,
    comment: layerAdvice(folder),
    severity: 'error',
    from: { path: `^packages/${name}/src/${folder}/`, pathNot: unitTests },
    to: { path: `^packages/${name}/src/(${above.join('|')})/` },
  };
}

const packages = [
  ['core', '(certs|pool|cli)'],
  ['certs', '(pool|cli)'],
  ['pool', '(certs|cli)'],
].map(([name, others]) => ({
  name: `package-${name}`,
  comment: packageAdvice[name],
  severity: 'error',
  from: { path: `^packages/${name}/` },
  to: { path: `^packages/${others}/` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...layers,
    ...packages,
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one thing, or lack a third that both may import.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-lost-imports',
      comment: 'This import leads nowhere: is the file there, is the name exported, is it installed?',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-unlisted-packages',
      comment: 'Library code imports only what its own package.json lists under dependencies.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: [unitTests, '^packages/cli/'] },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
    {
      name: 'no-unlisted-packages-in-the-command',
      comment: 'The command is bundled, so what it bundles is a devDependency; nothing may be missing there.',
      severity: 'error',
      from: { path: '^packages/cli/src/', pathNot: unitTests },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    exclude: { path: '(^|/)([.]tmp|dist|coverage)/' },
    tsPreCompilationDeps: true, // type imports count: layers are about what a reader has to know
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@knsock/source', 'types', 'node', 'import', 'default'],
    },
    builtInModules: { add: ['node:test'] },
  },
};
