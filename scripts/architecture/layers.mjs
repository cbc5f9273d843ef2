// Who may import whom: the one table behind the lint rules, dependency-cruiser and the architecture tests.
// ARCHITECTURE.md tells why. To let a folder import another, move it in the table; there are no exceptions elsewhere.

/**
 * The folders of each package's src in their order; that of core is the way that bytes take. A folder imports from the
 * levels above its own line, never from its own line (server and client don't know each other) nor from those below.
 * Files beside the folders come before all of them, except index.ts and kn-sock.ts, which are what is exported.
 * @type {Record<string, readonly (readonly string[])[]>}
 */
export const levels = {
  core: [
    ['node'],
    ['errors'],
    ['waiting'],
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
  ],
  certs: [
    ['files'],
    ['keys'],
    ['pkcs12'],
    ['issuing'],
    ['revocation'],
    ['authorities'],
    ['inspecting', 'store'],
    ['formats', 'renewal', 'enrolment'],
    ['enrolling', 'authority-server', 'acme'],
  ],
  pool: [['waiting'], ['pool'], ['endpoints'], ['connections'], ['facade']],
};

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
      // Loaded when it is called, since the rest of certs needs no connections.
      'enrolling/enrolled-credentials.ts': ['@knsock/core'],
      'enrolling/est-client.ts': ['@knsock/core', '@knsock/core/http'],
      'acme/acme-credentials.ts': ['@knsock/core'],
      'acme/challenge-listener.ts': ['@knsock/core'],
    },
  },
  pool: { names: ['@knsock/core', '@knsock/core/*'], types: [], only: {} },
  cli: { names: ['@knsock/*', 'commander', 'picocolors'], types: [], only: {} },
};

/** What unit tests may import beside what their package may. */
export const testImports = ['vitest', 'fast-check'];

/** What a package exports: files beside its folders that may import all of them. */
export const entryFiles = ['index.ts', 'kn-sock.ts'];

/**
 * The folders of a package that a file in `folder` must not import; of a file beside the folders, all.
 * @param {string} name the package
 * @param {string | undefined} folder
 */
export function foldersAbove(name, folder) {
  const order = levels[name] ?? [];
  const level = folder === undefined ? 0 : order.findIndex((names) => names.includes(folder));
  return level === -1
    ? []
    : order
        .slice(level)
        .flat()
        .filter((other) => other !== folder);
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
 * What a file in `folder` that breaks the order should do instead.
 * @param {string | undefined} folder
 */
export function layerAdvice(folder) {
  return (
    `${folder === undefined ? 'a file beside the folders' : `${folder}/`} imports only from the folders before it ` +
    '(scripts/architecture/layers.mjs): take what you need as a parameter, or move this code to the later folder.'
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
  pool: "pool imports only @knsock/core: what it needs from a connection belongs to core's public names.",
  cli: 'cli imports the three packages, commander and picocolors: list a new dependency in scripts/architecture/layers.mjs.',
};

export const relativeAdvice =
  'A relative path must not leave its package: import the other package by its name.';
