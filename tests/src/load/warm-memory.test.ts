import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('warm-memory.program.ts', import.meta.url));

/** Pages that the kernel provides for each message. */
async function pagesPerMessage(environment: Record<string, string>): Promise<number> {
  const args = ['-C', '@knsock/source', '--import', import.meta.resolve('tsx'), program];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, ...environment },
    timeout: 60_000,
  });
  return Number(stdout);
}

it('receives large messages in memory that the kernel provided before', async ({ skip }) => {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  skip(header.glibcVersionRuntime === undefined, "the allocator isn't glibc's");
  // A threshold that is set is one that glibc no longer learns.
  const [kept, returned] = await Promise.all([
    pagesPerMessage({}),
    pagesPerMessage({ MALLOC_MMAP_THRESHOLD_: '131072' }),
  ]);
  expect(kept).toBeLessThan(returned / 4);
});
