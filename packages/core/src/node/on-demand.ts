/**
 * Functions of Node's larger modules, which are loaded by the first call: an import of the package is fast, and a
 * program pays for what it uses.
 */

type NodeModules = {
  'node:crypto': typeof import('node:crypto');
  'node:net': typeof import('node:net');
  'node:tls': typeof import('node:tls');
  'node:url': typeof import('node:url');
  'node:util': typeof import('node:util');
};

/** The function of this name, which loads its module when it is first called. */
export function onDemand<M extends keyof NodeModules, F extends keyof NodeModules[M]>(
  module: M,
  name: F,
): NodeModules[M][F] {
  let loaded: ((...parameters: unknown[]) => unknown) | undefined;
  const call = (...parameters: unknown[]): unknown => {
    loaded ??= process.getBuiltinModule(module)[name as never] as (...parameters: unknown[]) => unknown;
    return loaded(...parameters);
  };
  return call as NodeModules[M][F];
}
