import { execute } from '../process.mjs';

/** The check against every other auditor, on every server and with all of testssl.sh's parts that it has words for: minutes. */
export async function run(args) {
  const tests = ['run', '--config', 'vitest.interop.config.ts', 'src/interop/check-agreement', ...args];
  const { code } = await execute('vitest', tests, {
    env: { ...process.env, KNSOCK_AUDIT: '1', KNSOCK_REQUIRE_TOOLS: '1' },
  });
  return code;
}
