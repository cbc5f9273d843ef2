/** What SIGHUP does: something of the program's own, or the end if the terminal is gone. */
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
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

/** Of a server that starts. */
interface Starting {
  hungUp: boolean;
  readonly unhear: () => void;
}

let starting: Starting | undefined;

/** From now on a SIGHUP waits for `takeOverHangUps`, and ends nothing: a server starts, and loads its code first. */
export function keepHangUps(): void {
  const unhear = onHangUp({
    act: () => {
      if (starting !== undefined) starting.hungUp = true;
    },
    stop: (signal) => process.exit(128 + constants.signals[signal]),
  });
  starting = { hungUp: false, unhear };
}

/** Ends the start. @returns whether a SIGHUP came meanwhile */
export function takeOverHangUps(): boolean {
  const { hungUp, unhear } = starting ?? { hungUp: false, unhear: () => undefined };
  starting = undefined;
  unhear();
  return hungUp;
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
