/** The worker of one thread, as the thread sees it: it posts a job and sleeps until the outcome is there. */
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { BlockingCallError } from '../errors/index.js';
import type { Job, Outcome, WorkerStart } from './job.js';
import { workerFile } from './worker-file.js';

/** How long the worker may take to start, in milliseconds; it takes a few hundred. */
const START = 15_000;

export class BlockingWorker {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #posted = new Int32Array(new SharedArrayBuffer(4));
  #lastId = 0;
  /** Whether it can take jobs. */
  alive = true;

  /** Blocks until it is up. It never keeps the process alive. @throws BlockingCallError */
  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#worker = startWorker({ port: port2, posted: this.#posted });
    this.#worker.unref();
    const gone = (): void => void (this.alive = false);
    // Without a listener its failure would be the program's; the call that waits for it says so instead.
    this.#worker.on('error', gone).on('exit', gone);
    if (this.#outcome(0, START) === null) throw this.#dead(`didn't start within ${START} ms`);
  }

  /** Blocks until the job is done, or `wait` milliseconds have passed. @throws BlockingCallError */
  run(job: Omit<Job, 'id'>, wait: number): Outcome {
    const id = ++this.#lastId;
    this.#port.postMessage({ ...job, id } satisfies Job);
    const outcome = this.#outcome(id, wait);
    if (outcome === null) throw this.#dead(`gave no answer within ${wait} ms`);
    return outcome;
  }

  #outcome(id: number, wait: number): Outcome | null {
    const deadline = performance.now() + wait;
    for (;;) {
      const seen = Atomics.load(this.#posted, 0);
      const received = receiveMessageOnPort(this.#port) as { message: Outcome } | undefined;
      if (received?.message.id === id) return received.message;
      if (received !== undefined) continue;
      const left = deadline - performance.now();
      if (left <= 0 || Atomics.wait(this.#posted, 0, seen, left) === 'timed-out') return null;
    }
  }

  #dead(why: string): BlockingCallError {
    this.alive = false;
    void this.#worker.terminate();
    return new BlockingCallError('worker', `the worker of blocking calls ${why}`);
  }
}

function startWorker(start: WorkerStart): Worker {
  const file = workerFile();
  try {
    return new Worker(file, {
      name: 'knsock-blocking',
      workerData: { knsockBlocking: start },
      transferList: [start.port],
      // The program's own flags, such as a loader or an inspector's break, are not for it.
      execArgv: [],
    });
  } catch (cause) {
    throw new BlockingCallError('worker', "the worker of blocking calls couldn't be started", { cause });
  }
}
