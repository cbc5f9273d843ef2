import { fileURLToPath } from 'node:url';
import { defineConfig, transformWithEsbuild, type Rollup } from 'vite';
import { dense, target } from '../../scripts/dense.js';
import { entries } from './entries.js';

const source = (file: string): string => fileURLToPath(new URL(`src/${file}`, import.meta.url));

// Finding, reading and linking a file costs Node as much as compiling 20 KB: what `import '@knsock/core'` needs is one
// file, which the other entries share, and what is loaded on demand stays apart.
export default defineConfig({
  logLevel: 'warn',
  // V8 keeps and scans a file in two bytes a character where one of them is beyond Latin-1.
  esbuild: { charset: 'ascii' },
  plugins: [
    {
      name: 'dense',
      renderChunk: (code, { fileName }) =>
        transformWithEsbuild(code, fileName, { ...dense, target, sourcemap: false }),
    },
  ],
  build: {
    ssr: true,
    // The plugin's is the last word; for any other target, Vite would print the code again, with spaces.
    target: 'esnext',
    outDir: 'dist',
    emptyOutDir: true,
    minify: false,
    rollupOptions: {
      preserveEntrySignatures: 'strict',
      input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, source(file)])),
      output: {
        format: 'es',
        entryFileNames: '[name].js',
        chunkFileNames: '[name].js',
        hoistTransitiveImports: false,
        manualChunks: chunkOf,
      },
    },
  },
});

function chunkOf(id: string, graph: Rollup.ManualChunkMeta): string | undefined {
  if (reachedFrom('index.ts', graph).has(id)) return 'shared';
  if (id.startsWith(source('x509/'))) return 'x509-paths';
  const both = ['client/connect.ts', 'server/listen.ts'].every((file) => reachedFrom(file, graph).has(id));
  return both && !id.startsWith(source('observe/')) ? 'connection' : undefined;
}

/** What a file needs as soon as it's loaded, without itself. */
function reachedFrom(file: string, { getModuleInfo }: Rollup.ManualChunkMeta): ReadonlySet<string> {
  const known = reached.get(file);
  if (known !== undefined) return known;
  const found = new Set<string>();
  const visit = (id: string): void => {
    for (const imported of getModuleInfo(id)?.importedIds ?? []) {
      if (found.has(imported)) continue;
      found.add(imported);
      visit(imported);
    }
  };
  visit(source(file));
  reached.set(file, found);
  return found;
}
const reached = new Map<string, ReadonlySet<string>>();
