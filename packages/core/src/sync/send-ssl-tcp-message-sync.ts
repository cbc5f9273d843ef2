/** kn-sock's blocking client: a worker thread does the work while this thread sleeps. */
import { ConnectionTimeoutError } from '../errors/index.js';
import { unpackError } from '../errors/packed-error.js';
import type { Payload } from '../framing/framing.js';
import { BlockingWorker } from './blocking-worker.js';
import { mayWaitForItself, refuseOwnServer } from './own-servers.js';
import { parseSyncMessage, type SyncSslMessageOptions } from './sync-message-options.js';

/** How much longer than its timeout a job may take until its worker counts as dead. */
const GRACE = 5_000;

let worker: BlockingWorker | null = null;

/**
 * As `sendSslTcpMessage`, and blocks the thread until the reply is there: timers, other connections and signal
 * handlers of the thread wait. The first call of a thread starts a worker, which later ones find warm; its start
 * doesn't count towards `timeout`. It never keeps the process alive.
 * @throws what `sendSslTcpMessage` rejects with; BlockingCallError where the server listens in this very thread, or
 *   the worker can't run
 */
export function sendSslTcpMessageSync(
  host: string,
  port: number,
  message: Payload,
  options: SyncSslMessageOptions = {},
): Buffer {
  const parsed = parseSyncMessage(host, port, message, options);
  refuseOwnServer(host, port);
  if (worker?.alive !== true) worker = new BlockingWorker();
  const outcome = worker.run(parsed, parsed.message.timeout + GRACE);
  if ('error' in outcome) throw explained(unpackError(outcome.error), host);
  const { buffer, byteOffset, byteLength } = outcome.reply;
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** A server of plain Node in this thread can't be distinguished from others beforehand; its silence can be explained. */
function explained(error: Error, host: string): Error {
  if (!(error instanceof ConnectionTimeoutError) || !mayWaitForItself(host)) return error;
  const hint =
    "A server listens in the very thread that this call blocks: if it is the one called, it can't answer; await sendSslTcpMessage(…) instead.";
  return Object.assign(error, { hint });
}
