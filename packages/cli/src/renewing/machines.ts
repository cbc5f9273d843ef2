/** Renewal of enrolled machines, once or as long as the process runs. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RenewResult } from '@knsock/certs';
import { describeFailure } from '../failure.js';
import { shortPath } from '../files.js';
import type { Output } from '../output.js';
import { unreadable } from '../unreadable.js';
import { UsageError } from '../usage-error.js';
import { onHangUp, takeOverHangUps } from '../hang-up.js';
import { ServeLog } from '../serving/serve-log.js';
import { afterRenewal } from './after-renewal.js';
import { OwedHook } from './owed-hook.js';

export interface MachineFlags {
  dir?: string[];
  all?: string;
  exec?: string;
  signalPid?: string;
  timeout?: number;
  force?: boolean;
  reuseKey?: boolean;
}

/** Renews what is due, one folder after the other; a failure of one doesn't stop the others. */
export async function renewMachines(flags: MachineFlags, output: Output): Promise<number> {
  const { renewEnrolled } = await import('@knsock/certs');
  const { timeout, force, reuseKey } = flags;
  let code = 0;
  for (const dir of await foldersOf(flags)) {
    try {
      const hook = hookOf(flags, dir);
      await hook?.begin();
      const onRenewed = hook && (() => hook.run());
      await tell(output, dir, await renewEnrolled({ dir, timeout, force, reuseKey, onRenewed }));
      await hook?.settle();
    } catch (error) {
      const failure = describeFailure(error, 'certs renew');
      const { message, hint, code: name, exitCode } = failure;
      if (output.manner.json) await output.record({ event: 'error', dir, ...failure });
      output.tell(`${shortPath(dir)}: ${message}\n  hint: ${hint}\n  code: ${name} (exit ${exitCode})`);
      code = exitCode;
    }
  }
  return code;
}

/** Renews each folder when it is due, until SIGTERM or SIGINT; SIGHUP looks again at once. */
export async function renewUntilSignal(flags: MachineFlags, output: Output): Promise<number> {
  const { watchEnrolled } = await import('@knsock/certs');
  const { timeout, reuseKey } = flags;
  const log = new ServeLog(output, 'certs renew');
  const ending = new AbortController();
  let round = new AbortController();
  const stop = (): void => {
    ending.abort();
    round.abort();
  };
  const lookAgain = (): void => {
    log.event('looking', {}, 'SIGHUP: looking at once for what is due');
    round.abort();
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  // It looks at once anyway.
  takeOverHangUps();
  const unhear = onHangUp({ act: lookAgain, stop });
  const folders = await foldersOf(flags);
  log.event('renewing', { folders }, `renewing ${folders.map(shortPath).join(', ')}`);
  // The watch itself doesn't keep the process alive.
  const alive = setInterval(() => undefined, 3_600_000);
  try {
    while (!ending.signal.aborted) {
      round = new AbortController();
      await Promise.all(
        folders.map(async (dir) => {
          const hook = hookOf(flags, dir);
          await beginWith(hook, dir, log);
          await watchEnrolled({
            ...{ dir, timeout, reuseKey, signal: round.signal },
            onRenewed: hook && (() => hook.run()),
            onResult: ({ notAfter, dueAt }) => {
              const words = `${shortPath(dir)} renewed, valid until ${notAfter.toISOString()}`;
              log.event('renewed', { dir, notAfter, dueAt }, words);
            },
            onError: (error, retryIn) => {
              const { message, hint, code } = describeFailure(error, 'certs renew');
              const again = `again in ${Math.round(retryIn / 1_000).toLocaleString('en')} s`;
              log.event(
                'failure',
                { dir, error: message, hint, code, retryIn },
                `${shortPath(dir)}: ${message} [${code}] ${hint}; ${again}`,
              );
            },
          });
        }),
      );
    }
  } finally {
    clearInterval(alive);
    process.off('SIGTERM', stop).off('SIGINT', stop);
    unhear();
  }
  log.event('stopped', { code: 0 }, 'stopped');
  return 0;
}

function hookOf(flags: MachineFlags, dir: string): OwedHook | undefined {
  const hook = afterRenewal(flags, dir);
  return hook && new OwedHook(hook, dir);
}

/** A failure is for the log: the renewals go on, and the hook is run again at the next start or SIGHUP. */
async function beginWith(hook: OwedHook | undefined, dir: string, log: ServeLog): Promise<void> {
  try {
    await hook?.begin();
    await hook?.settle();
  } catch (error) {
    log.failed(`the hook of ${shortPath(dir)}`, error);
  }
}

/** @throws UsageError if there is none */
async function foldersOf({ dir = [], all }: MachineFlags): Promise<string[]> {
  const folders = [...dir, ...(all === undefined ? [] : await enrolledIn(all))];
  if (folders.length > 0) return folders;
  throw new UsageError(`nothing in ${all ?? ''} was enrolled`, 'Enrol first: knsock certs enroll --dir DIR.');
}

async function enrolledIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const below = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
    const files = await Promise.all(
      below.map(async ({ name }) => ({ name, files: await readdir(join(folder, name)) })),
    );
    return files
      .filter((one) => one.files.includes('enrolment.json'))
      .map(({ name }) => join(folder, name))
      .sort();
  } catch (error) {
    throw unreadable(folder, error);
  }
}

async function tell(output: Output, dir: string, result: RenewResult): Promise<void> {
  const { renewed, notAfter, dueAt } = result;
  const until = `valid until ${notAfter.toISOString()}`;
  const words = renewed ? `renewed, ${until}` : `not due before ${dueAt.toISOString()}, ${until}`;
  await output.result({ dir, ...result }, `${shortPath(dir)}: ${words}`);
}
