// Who may import whom: the one table behind the lint rules, dependency-cruiser and the architecture tests.
// ARCHITECTURE.md tells why. To let a folder import another, move it in the table; there are no exceptions elsewhere.

/**
 * The folders of packages/core/src in the order of the way that bytes take. A folder imports from the levels above
 * its own line, never from its own line (server and client don't know each other) nor from those below.
 */
export const coreLevels = [
  ['node'],
  ['errors'],
  ['options'],
  ['x509', 'framing', 'observe'],
  ['policy'],
  ['credentials'],
  ['transport'],
  ['trust'],
  ['connection'],
  ['server', 'client'],
  ['facade', 'http'],
  ['sync', 'workers'],
  ['testing'],
];

/**
 * What each package may import beside Node's own modules and its own files; `*` stands for any end of a name.
 * `types` are for `import type` alone, and `only` lists the one file that may import a name.
 * @type {Record<string, { names: string[], types: string[], only: Record<string, string[]> }>}
 */
export const packageImports = {
  core: { names: [], types: [], only: {} },
  certs: {
    names: ['@knsock/core/errors', '@knsock/core/options', '@knsock/core/x509'],
    types: ['@knsock/core'],
    only: {
      'x509.ts': ['@peculiar/*'],
      'authority-server/serve-authority.ts': ['@knsock/core', '@knsock/core/http'],
      'enrolling/est-client.ts': ['@knsock/core', '@knsock/core/http'],
    },
  },
  pool: { names: ['@knsock/core', '@knsock/core/*'], types: [], only: {} },
  cli: { names: ['@knsock/*', 'commander', 'picocolors'], types: [], only: {} },
};

/** What unit tests may import beside what their package may. */
export const testImports = ['vitest', 'fast-check'];

/**
 * The folders of core that a file in `folder` must not import.
 * @param {string} folder
 */
export function foldersAbove(folder) {
  const level = coreLevels.findIndex((names) => names.includes(folder));
  return level === -1
    ? []
    : coreLevels
        .slice(level)
        .flat()
        .filter((name) => name !== folder);
}

/**
 * Whether a module name fits one of the patterns of the table.
 * @param {string} name
 * @param {readonly string[]} patterns
 */
export function matchesName(name, patterns) {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

/**
 * What a file in `folder` of core that breaks the order should do instead.
 * @param {string} folder
 */
export function layerAdvice(folder) {
  return (
    `${folder}/ imports only from the stops before it on the way of bytes (scripts/architecture/layers.mjs): ` +
    'take what you need as a parameter, or move this code to the later stop.'
  );
}

/**
 * What to do instead of an import that a package must not have.
 * @type {Record<string, string>}
 */
export const packageAdvice = {
  core: 'core depends on nothing at run time: use a node: module, or write the little that is needed.',
  certs:
    'certs imports only @knsock/core/errors, /options and /x509 (and types of @knsock/core); ' +
    'the X.509 library is imported by packages/certs/src/x509.ts alone, servers by authority-server and clients by ' +
    'enrolling/est-client.ts: call those files.',
  pool: 'pool imports only @knsock/core: what it needs from a connection belongs to core’s public names.',
  cli: 'cli imports the three packages, commander and picocolors: list a new dependency in scripts/architecture/layers.mjs.',
};

export const relativeAdvice =
  'A relative path must not leave its package: import the other package by its name.';
