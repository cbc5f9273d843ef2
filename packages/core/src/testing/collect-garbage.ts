import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Frees what nobody holds any more, so that memory can be measured; false where the runtime won't. */
export function collectGarbage(): boolean {
  const collect = collector();
  // The first run lets go of array buffers, the second waits until they are freed.
  collect?.();
  collect?.();
  return collect !== undefined;
}

function collector(): (() => void) | undefined {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('typeof gc === "function" ? gc : undefined');
  return found as (() => void) | undefined;
}
