import { fileURLToPath } from 'node:url';
import { defineConfig, transformWithEsbuild, type Rollup } from 'vite';
import { entries } from './entries.js';

const source = (file: string): string => fileURLToPath(new URL(`src/${file}`, import.meta.url));

// Finding, reading and linking a file costs Node as much as compiling 20 KB: what `import '@knsock/core'` needs is one
// file, which the other entries share, and what is loaded on demand stays apart.
export default defineConfig({
  logLevel: 'warn',
  // V8 keeps and scans a file in two bytes a character where one of them is beyond Latin-1.
  esbuild: { charset: 'ascii' },
  plugins: [{ name: 'without-comments', renderChunk: withoutComments }],
  build: {
    ssr: true,
    target: 'node20.19',
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

/** What Node reads at each start has no comments: those for users stand in the types, those for authors in the sources. */
async function withoutComments(code: string, { fileName }: { fileName: string }): Promise<string> {
  const options = { charset: 'ascii', legalComments: 'none', sourcemap: false } as const;
  const dense = await transformWithEsbuild(code, fileName, { ...options, minifyWhitespace: true });
  return (await transformWithEsbuild(dense.code, fileName, options)).code;
}

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
