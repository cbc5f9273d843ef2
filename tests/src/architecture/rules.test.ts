import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { levels } from '../../../scripts/architecture/layers.mjs';
import { cycles, violations } from './rules.js';
import { parse, readSourceFiles, workspace } from './source-files.js';

describe('the house', () => {
  const library = readSourceFiles('packages');
  const rest = readSourceFiles('tests', 'benchmarks', 'examples', 'scripts');

  it('keeps every rule about imports, names and sizes', () => {
    expect(library.length).toBeGreaterThan(10);
    expect([...library, ...rest].flatMap(violations)).toEqual([]);
  });

  it('has no files that import one another in a circle', () => {
    expect(cycles([...library, ...rest])).toEqual([]);
  });

  it.each(Object.entries(levels))('gives every folder of %s its place in the order', (name, order) => {
    const entries = readdirSync(path.join(workspace, `packages/${name}/src`), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() && entry.name !== 'fixtures');
    expect(folders.map((entry) => entry.name).filter((folder) => !order.flat().includes(folder))).toEqual([]);
  });
});

describe('the rules', () => {
  const broken = (file: string, text: string) => violations(parse(file, text)).join('\n');

  it.each([
    [
      'packages/core/src/framing/lines.ts',
      `import { listen } from '../server/server.js';`,
      'framing/ imports only',
    ],
    [
      'packages/core/src/framing/knsock/frame.ts',
      `export { dial } from '../../transport/dial.js';`,
      'framing/ imports only',
    ],
    [
      'packages/core/src/server/server.ts',
      `import type { Connect } from '../client/connect.js';`,
      'server/ imports only',
    ],
    [
      'packages/core/src/trust/chain.ts',
      `const later = import('../connection/writer.js');`,
      'trust/ imports only',
    ],
    [
      'packages/pool/src/clock.ts',
      `import type { Stats } from './pool/stats.js';`,
      'a file beside the folders',
    ],
    ['packages/pool/src/pool/pool.ts', `import '../endpoints/health.js';`, 'pool/ imports only'],
    ['packages/certs/src/issuing/csr.ts', `import '../store/store.js';`, 'issuing/ imports only'],
    ['packages/core/src/x509/der.ts', `import asn1 from 'asn1js';`, 'core depends on nothing'],
    [
      'packages/core/src/server/server.test.ts',
      `import { createAuthority } from '@knsock/certs';`,
      'core depends on nothing',
    ],
    ['packages/certs/src/issuing/issue.ts', `import { connect } from '@knsock/core';`, 'certs imports only'],
    [
      'packages/certs/src/issuing/issue.ts',
      `type X = import('@peculiar/x509').X509Certificate;`,
      'certs imports only',
    ],
    [
      'packages/pool/src/pool/pool.ts',
      `import { createAuthority } from '@knsock/certs';`,
      'pool imports only',
    ],
    [
      'packages/pool/src/pool/pool.ts',
      `import { connect } from '../../core/src/index.js';`,
      'import the other package by its name',
    ],
    ['packages/cli/src/run.ts', `import chalk from 'chalk';`, 'cli imports'],
    ['packages/core/src/policy/utils.ts', `export const a = 1;`, 'called by the noun'],
    ['packages/core/src/index.ts', `export * from './errors/index.js';`, 'export by name'],
    ['packages/core/src/index.ts', `// It isn\u2019t so.`, "' for every apostrophe"],
  ])('refuse in %s: %s', (file, text, message) => {
    expect(broken(file, text)).toContain(message);
  });

  it.each([
    ['packages/core/src/server/server.ts', `import { Connection } from '../connection/connection.js';`],
    [
      'packages/core/src/server/server.test.ts',
      `import { connect } from '../client/connect.js'; import 'vitest';`,
    ],
    ['packages/core/src/index.ts', `export { listen } from './server/server.js';`],
    ['packages/pool/src/index.ts', `export { Pool } from './pool/pool.js';`],
    ['packages/pool/src/endpoints/endpoint.ts', `import { channels } from '../pool/channels.js';`],
    [
      'packages/certs/src/revocation/revocation-source.ts',
      `import type { RevocationSource } from '@knsock/core';`,
    ],
    ['packages/certs/src/x509.ts', `import * as x509 from '@peculiar/x509';`],
    [
      'packages/certs/src/issuing/issue.ts',
      `import { CertificateError } from '@knsock/core/errors'; import 'node:crypto';`,
    ],
  ])('allow in %s: %s', (file, text) => {
    expect(broken(file, text)).toBe('');
  });

  it('refuse a file of more than 300 lines', () => {
    const lines = (count: number) =>
      broken('packages/core/src/server/server.ts', 'const line = 1;\n'.repeat(count));
    expect(lines(300)).toBe('');
    expect(lines(301)).toContain('301 lines are over the limit of 300');
  });

  it('show a circle as the way round', () => {
    const a = parse('packages/core/src/policy/a.ts', `import type { B } from './b.js';`);
    const b = parse('packages/core/src/policy/b.ts', `import { a } from './a.js';`);
    expect(cycles([a, b])).toEqual([
      'packages/core/src/policy/a.ts → packages/core/src/policy/b.ts → packages/core/src/policy/a.ts',
    ]);
  });
});
