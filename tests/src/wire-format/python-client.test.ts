import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { needsTools } from '../interop/tools.js';

const client = fileURLToPath(new URL('knsock_client.py', import.meta.url));
const page = fileURLToPath(new URL('../../../docs/wire-format.md', import.meta.url));
it('the Python client written from docs/wire-format.md agrees with every vector of the page', (context) => {
  needsTools(context, 'python3');
  // -B: leave no __pycache__ in the source tree.
  const printed = execFileSync('python3', ['-B', client, 'self-test', page], { timeout: 20_000 });
  const checked = JSON.parse(String(printed)) as Record<string, number>;
  expect(checked['valid']).toBeGreaterThanOrEqual(12);
  expect(checked['malformed']).toBeGreaterThan(0);
});
