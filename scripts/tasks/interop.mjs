import { execute } from '../process.mjs';

/**
 * The tests against other programs (openssl, Python, HAProxy …). Those whose program is missing are skipped with
 * a reason; with KNSOCK_REQUIRE_TOOLS=1 they fail instead.
 */
export async function run(args) {
  const { code } = await execute('vitest', ['run', '--config', 'vitest.interop.config.ts', ...args]);
  return code;
}
