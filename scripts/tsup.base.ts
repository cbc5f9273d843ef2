import type { Options } from 'tsup';

/** One build for every package: ESM for Node, types beside it, sources kept for stack traces. */
export function library(entry: Record<string, string>): Options {
  return {
    entry,
    format: ['esm'],
    platform: 'node',
    target: 'node20.19',
    clean: true,
    sourcemap: true,
    splitting: true,
    removeNodeProtocol: false,
    tsconfig: 'tsconfig.build.json',
    dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  };
}
