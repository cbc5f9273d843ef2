import { execute } from '../process.mjs';

/** Builds every package that changed since its last build; arguments are turbo's (`--force`). */
export async function run(args) {
  const { code } = await execute('turbo', ['run', 'build', ...args], { env: quiet });
  return code;
}

/** Builds what is out of date without a word, unless it fails. */
export async function buildQuietly() {
  const { code, output } = await execute('turbo', ['run', 'build', '--output-logs=errors-only'], {
    env: quiet,
    print: 'keep',
  });
  if (code !== 0) console.error(output);
  return code;
}

const quiet = { TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };
