/** Commands that take several files process all of them: an unreadable one is reported and doesn't stop the others. */
import { reportFailure } from './failure.js';
import { naming } from './files.js';
import type { Output } from './output.js';

/** The exit code afterwards is that of the first failure, unless the task has set its own. */
export async function eachFile(
  files: readonly string[],
  { output, command }: { output: Output; command: string },
  judge: (file: string) => Promise<void>,
): Promise<void> {
  if (files.length === 1) {
    await naming(files[0] as string, () => judge(files[0] as string));
    return;
  }
  let failed: number | undefined;
  for (const file of files) {
    try {
      await naming(file, () => judge(file));
    } catch (error) {
      const exitCode = await reportFailure(output, command, error);
      failed ??= exitCode;
    }
  }
  if (failed !== undefined) process.exitCode = failed;
}
