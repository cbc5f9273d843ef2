/** Does something again and again for so long, once at least. */
export async function repeat(
  ms: number,
  once: () => Promise<unknown>,
): Promise<{ operations: number; wallMs: number }> {
  const started = performance.now();
  let operations = 0;
  do {
    await once();
    operations += 1;
  } while (performance.now() - started < ms);
  return { operations, wallMs: performance.now() - started };
}
