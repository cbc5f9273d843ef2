/**
 * Says by a process warning what a `close()` waits for after a second: the call may stand in it, and waits for itself until
 * its deadline then. Which call awaits a promise can't be known without AsyncLocalStorage, which more than doubles the
 * cost of every `await` in the process (Node 20: from 120 to 270 ns).
 */

/** How long a close may take before a warning says what it waits for, in milliseconds. */
export const CLOSE_PATIENCE = 1_000;

/**
 * @param call what was called, such as `server.close()`
 * @param held what it waits for, as a part of a sentence
 */
export function warnOfClose(call: string, held: string): void {
  const message = `${call} has waited ${CLOSE_PATIENCE} ms for ${held}. If it was called there, it waits for itself until its deadline: call it there without awaiting it`;
  process.emitWarning(message, { type: 'KnsockWarning', code: 'KNSOCK_CLOSE_WAITS' });
}
