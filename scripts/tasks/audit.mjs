import { execute } from '../process.mjs';

/** `knsock check` against sslscan, nmap and testssl.sh on every server: minutes. */
export async function run(args) {
  const tests = ['run', '--config', 'vitest.interop.config.ts', 'src/interop/check-agreement', ...args];
  const { code } = await execute('vitest', tests, {
    env: { ...process.env, KNSOCK_AUDIT: '1', KNSOCK_REQUIRE_TOOLS: '1' },
  });
  return code;
}
