import { readFileSync } from 'node:fs';
import { defineConfig, type Options } from 'tsup';
import { library } from '../../scripts/tsup.base.js';

// Bundled from the sources: finding, reading and compiling files is most of a short command's time. The certificate
// maker is large, seldom needed, and stays a package.
function bundled(options: Options): Options {
  return {
    ...options,
    noExternal: ['commander', 'picocolors', /^@knsock\/(core|pool)/],
    esbuildOptions: (esbuild, context) => {
      options.esbuildOptions?.(esbuild, context);
      esbuild.conditions = ['@knsock/source'];
    },
  };
}

export default defineConfig(bundles('.'));

/** @param folder where this package is */
export function bundles(folder: string): Options[] {
  return [everything(folder), send(folder)];
}

function everything(folder: string): Options {
  return bundled({
    ...library({ index: `${folder}/src/index.ts`, bin: `${folder}/src/bin.ts` }),
    define: built(folder),
    clean: ['!send.cjs*'], // both are built at once
    // Commander is CommonJS and asks for Node's own modules by require.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
}

/** `knsock send` alone, in one file: it's what scripts start most. */
function send(folder: string): Options {
  const alone = bundled({
    ...library({ send: `${folder}/src/bin.ts` }),
    define: built(folder),
    clean: false,
    dts: false,
    format: ['cjs'],
    shims: true,
    splitting: false,
    // For the test that looks at what is in the file; it isn't published.
    sourcemap: true,
    esbuildPlugins: [onlyCommand('send')],
  });
  return {
    ...alone,
    esbuildOptions: (options, context) => {
      alone.esbuildOptions?.(options, context);
      // `require` instead of `import()`, which a file run by bin/compiled.cjs hasn't got without Node's warning of it.
      options.supported = { ...options.supported, 'dynamic-import': false };
      // Node loads perf_hooks for its clock. The name is one that no local variable has: esbuild would take that for it.
      options.define = { ...options.define, 'performance.now': 'monotonicNow' };
      options.inject = [`${folder}/src/now.ts`];
      // Commander would load it for commands that are programs of their own; `send` starts none.
      options.alias = { 'node:child_process': `${folder}/src/absent.ts` };
    },
  };
}

function built(folder: string): Record<string, string> {
  const { version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as { version: string };
  return { BUILT_VERSION: JSON.stringify(version) };
}

/** Leaves the other commands out of a bundle; bin/knsock.cjs never asks it for them. */
function onlyCommand(name: string): NonNullable<Options['esbuildPlugins']>[number] {
  return {
    name: 'only-command',
    setup: (build) => {
      build.onResolve({ filter: /^\.\/commands\// }, ({ path }) =>
        path === `./commands/${name}.js` ? undefined : { path, external: true },
      );
    },
  };
}
