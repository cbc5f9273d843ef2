import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const client = fileURLToPath(new URL('knsock_client.py', import.meta.url));
const page = fileURLToPath(new URL('../../../docs/wire-format.md', import.meta.url));
const python = spawnSync('python3', ['--version']).status === 0;
const required = process.env['KNSOCK_REQUIRE_TOOLS'] === '1';

describe.skipIf(!python && !required)(
  'the Python client written from docs/wire-format.md (needs python3)',
  () => {
    it('agrees with every test vector of the page', () => {
      // -B: leave no __pycache__ in the source tree.
      const printed = execFileSync('python3', ['-B', client, 'self-test', page], { timeout: 20_000 });
      const checked = JSON.parse(String(printed)) as Record<string, number>;
      expect(checked['valid']).toBeGreaterThanOrEqual(12);
      expect(checked['malformed']).toBeGreaterThan(0);
    });
  },
);
