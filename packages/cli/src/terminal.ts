/** Capabilities of the terminal, if there is one. */

/** Whether a stream gets colours: NO_COLOR (any value that isn't empty) forbids, FORCE_COLOR demands. */
export function wantsColor(isTerminal: boolean | undefined): boolean {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0') return true;
  return isTerminal === true && !isDumb();
}

/** Whether a line on standard error can be redrawn. */
export function canRedraw(): boolean {
  return process.stderr.isTTY && !isDumb();
}

/** How many characters fit on a line; some terminals say 0. */
export function width(): number {
  return process.stderr.columns || 80;
}

function isDumb(): boolean {
  return process.env['TERM'] === 'dumb';
}
