import type { Options } from 'tsup';
import { dense, target } from './dense.js';

export const types = { compilerOptions: { ignoreDeprecations: '6.0' } };

/** One build for every package: ESM for Node without the types, dense, and the types beside it. */
export function library(entry: Record<string, string>): Options {
  return {
    entry,
    format: ['esm'],
    platform: 'node',
    target,
    clean: true,
    splitting: true,
    removeNodeProtocol: false,
    tsconfig: 'tsconfig.build.json',
    dts: types,
    esbuildOptions: (options) => void Object.assign(options, dense),
  };
}
