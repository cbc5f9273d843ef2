import type { Options } from 'tsup';

export const types = { compilerOptions: { ignoreDeprecations: '6.0' } };

/** One build for every package: ESM for Node as it was written, but for the types, and these beside it. */
export function library(entry: Record<string, string>): Options {
  return {
    entry,
    format: ['esm'],
    platform: 'node',
    target: 'node20.19',
    clean: true,
    splitting: true,
    removeNodeProtocol: false,
    tsconfig: 'tsconfig.build.json',
    dts: types,
  };
}
