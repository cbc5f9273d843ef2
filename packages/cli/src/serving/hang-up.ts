/** What SIGHUP does: something of the program's own, or the end if the terminal is gone. */
import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

/** @returns what stops listening; after that a SIGHUP ends the process */
export function onHangUp({
  act,
  stop,
}: {
  act: () => void;
  stop: (signal: NodeJS.Signals) => void;
}): () => void {
  const onTerminal = isatty(2);
  const hangUp = (signal: NodeJS.Signals): void => {
    // The terminal was closed: to stay would leave an orphaned process.
    if (onTerminal && terminalIsGone()) stop(signal);
    else act();
  };
  process.on('SIGHUP', hangUp);
  return () => void process.off('SIGHUP', hangUp);
}

/** The terminal on which this process was started. */
function terminalIsGone(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}
