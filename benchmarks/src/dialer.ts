/** Connections one after the other, several at a time, until the time is over. */
export interface DialOptions {
  readonly port: number;
  readonly ms: number;
  readonly resume: boolean;
}

const AT_ONCE = 4;

/** @param once connects, waits for the first word, and ends */
export async function dialRepeatedly(
  ms: number,
  once: () => Promise<void>,
): Promise<{ operations: number; wallMs: number }> {
  const started = performance.now();
  let operations = 0;
  const caller = async (): Promise<void> => {
    do {
      await once();
      operations += 1;
    } while (performance.now() - started < ms);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  return { operations, wallMs: performance.now() - started };
}
