/** The version of knsock. */
import { readFileSync } from 'node:fs';

/** Set by the build; run from source there is only the manifest. */
declare const BUILT_VERSION: string | undefined;

/** The version in this package's manifest. */
export function version(): string {
  if (typeof BUILT_VERSION === 'string') return BUILT_VERSION;
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
