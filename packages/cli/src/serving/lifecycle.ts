/** The life of a server until a signal ends it: signals drain it, or reload its credentials. */
import { constants } from 'node:os';
import { onHangUp, takeOverHangUps } from '../hang-up.js';
import type { ServeLog } from './serve-log.js';

/** What can be drained: a server of core's, or a listener without TLS. */
export interface Drainable {
  connections(): Iterable<{ destroy(): unknown }>;
  close(): Promise<void>;
}

/** The targets of the signals. */
export interface Running {
  readonly server: Drainable;
  readonly log: ServeLog;
  /** Announces that the server listens. Called once signals are handled: a SIGHUP without a handler ends the process. */
  readonly announce: () => void;
  /** Called when the server begins to drain. */
  readonly draining?: () => void;
  /** Reloads the credentials. */
  readonly reload: () => Promise<void>;
}

/**
 * Resolves with the exit code once the server has ended. SIGTERM and SIGINT drain it, a second one
 * ends at once; SIGHUP reloads, and a failed reload keeps the current credentials.
 */
export async function runUntilSignal({
  server,
  log,
  announce,
  reload,
  draining: onDraining,
}: Running): Promise<number> {
  let drained: ((code: number) => void) | undefined;
  const ended = new Promise<number>((resolve) => (drained = resolve));
  let draining = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (draining) {
      for (const connection of server.connections()) connection.destroy();
      drained?.(128 + constants.signals[signal]);
      return;
    }
    draining = true;
    onDraining?.();
    const connections = [...server.connections()].length;
    log.event(
      'draining',
      { signal, connections },
      `${signal}: draining, ${connections} open; a second signal exits at once`,
    );
    void server.close().then(() => drained?.(0));
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  const hangUp = (): void => void reloadOrKeep(log, reload);
  const unhear = onHangUp({ act: hangUp, stop });
  announce();
  if (takeOverHangUps()) hangUp();
  const code = await ended;
  process.off('SIGTERM', stop).off('SIGINT', stop);
  unhear();
  log.end();
  log.event('stopped', { code }, 'stopped');
  return code;
}

async function reloadOrKeep(log: ServeLog, reload: () => Promise<void>): Promise<void> {
  log.reloadBegins();
  try {
    await reload();
    log.event('reloaded', {}, 'SIGHUP: credentials reloaded');
  } catch (error) {
    log.reloadFailed(error);
  }
}
