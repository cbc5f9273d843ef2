/** The worker's program: takes jobs, posts outcomes and wakes the thread that sleeps. Without its start it does nothing. */
import { workerData } from 'node:worker_threads';
import { packError } from '../errors/packed-error.js';
import { Exchanger } from './exchanger.js';
import type { Job, Outcome, WorkerStart } from './job.js';

const start = (workerData as { knsockBlocking?: WorkerStart } | null | undefined)?.knsockBlocking;
if (start !== undefined) work(start);

/** Whether this thread does the work of blocking calls; a program that imports the module by itself starts nothing. */
export const working = start !== undefined;

function work({ port, posted }: WorkerStart): void {
  const exchanger = new Exchanger();
  let current = 0;
  const post = (outcome: Outcome): void => {
    port.postMessage(outcome, transferable(outcome));
    Atomics.add(posted, 0, 1);
    Atomics.notify(posted, 0);
  };
  // What escapes everything else must wake the thread that waits; it would sleep until its time is over.
  process.on('uncaughtException', (error) => {
    post({ id: current, error: packError(error) });
  });
  port.on('message', (job: Job) => {
    current = job.id;
    exchanger.exchange(job).then(
      (reply) => {
        post({ id: job.id, reply: leaving(reply) });
      },
      (error: unknown) => {
        post({ id: job.id, error: packError(error) });
      },
    );
  });
  post({ id: 0, reply: new Uint8Array() });
}

/** A large reply moves as it is; a small one may be a corner of a pool, which must stay. */
const LARGE = 65_536;

function leaving(reply: Buffer): Uint8Array {
  const movable = reply.byteLength >= LARGE && reply.byteLength === reply.buffer.byteLength;
  return movable ? reply : new Uint8Array(reply);
}

function transferable(outcome: Outcome): ArrayBuffer[] {
  return 'reply' in outcome ? [outcome.reply.buffer as ArrayBuffer] : [];
}
