import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'vitest';

/**
 * Skips a test with a reason where one of the programs isn't installed; where they are required
 * (KNSOCK_REQUIRE_TOOLS=1) the test fails instead. Call it first: `needsTools(context, 'openssl')`.
 */
export function needsTools(context: TestContext, ...programs: string[]): void {
  const missing = programs.filter((program) => toolPath(program) === undefined);
  if (missing.length === 0) return;
  const reason = `${missing.join(' and ')} not installed (.ci/install-tools installs what interop needs)`;
  if (process.env['KNSOCK_REQUIRE_TOOLS'] === '1') throw new Error(reason);
  context.skip(reason);
}

/** Where a program is, looked up as a shell would and in the folders of system commands, or a library's file; undefined: nowhere. */
export function toolPath(program: string): string | undefined {
  if (path.isAbsolute(program)) return permits(program, constants.R_OK) ? program : undefined;
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => path.join(folder, program)).find((file) => permits(file, constants.X_OK));
}

function permits(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}
