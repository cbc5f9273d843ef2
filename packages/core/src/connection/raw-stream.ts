/** The raw bytes of a connection as a Node stream that half-closes both ways. */
import { Duplex } from 'node:stream';
import { ConnectionClosedError } from '../errors/index.js';
import { consumed, type CallFailures } from './call-failures.js';
import { RawOutput, type WrittenConnection } from './raw-output.js';
import { LoopWatch } from './stream-loop.js';

/** The connection whose bytes a stream takes over. */
export interface StreamedConnection extends Pick<CallFailures, 'named'>, WrittenConnection {
  readonly receiveQueue: { takeAll(): unknown[]; closeTo(why: string): void };
  readonly reading: { resume(): void };
  readonly isPeerFinished: boolean;
  readonly isGone: boolean;
  raw: RawBytes | null;
  progress(): void;
  destroy(error: Error | undefined): void;
  fail(error: Error, tellPeer: boolean, byProgram: boolean): void;
  streamFailed(error: Error): void;
}

/**
 * Takes over the raw bytes of a connection.
 * @param early the stream to fill, made before the connection
 * @throws EasySocketError KNSOCK_CONSUMED where they have a consumer already
 */
export function openStream(connection: StreamedConnection, early = new EarlyStream()): Duplex {
  if (connection.raw !== null)
    throw consumed(connection, 'messages', 'its bytes are taken already by relay()');
  connection.receiveQueue.closeTo('stream() takes the bytes');
  const raw = duplexOver(early, {
    held: connection.receiveQueue.takeAll() as Buffer[],
    ended: connection.isPeerFinished,
    readOn: () => {
      connection.reading.resume();
    },
    output: new RawOutput(connection),
    end: () => {
      connection.writer.flush();
      connection.stream.end();
      connection.progress();
    },
    destroy: (error) => {
      connection.destroy(error ?? undefined);
    },
    left: () => {
      const words = 'the program left its loop over the stream before the end';
      connection.fail(connection.named(new ConnectionClosedError(false, words)), true, true);
    },
    goneError: () => connection.goneError,
    report: (error) => {
      connection.streamFailed(error);
    },
  });
  connection.raw = raw;
  if (connection.isGone) {
    // The events that it has missed.
    const { goneError } = connection;
    const isClean = goneError instanceof ConnectionClosedError && goneError.clean !== false;
    process.nextTick(() => {
      raw.closed(isClean ? undefined : goneError);
    });
  } else {
    connection.reading.resume();
  }
  return raw.duplex;
}

/** What the stream needs of its connection. */
interface RawBytesSource {
  /** Bytes that arrived before. */
  readonly held: readonly Buffer[];
  /** Whether the peer has ended already. */
  readonly ended: boolean;
  /** There is room for more input. */
  readOn(): void;
  readonly output: RawOutput;
  end(): void;
  destroy(error: Error | null): void;
  /** The program left a loop over the stream before its end. */
  left(): void;
  goneError(): Error;
  /** Receives the error that ended the stream where the program has no 'error' listener. */
  report(error: Error): void;
}

/** The consumer of the raw bytes, and what the connection reports to it. */
export interface RawBytes {
  /** Whether both directions have ended. */
  readonly finished: boolean;
  /** Whether our direction has: everything in it was written. */
  readonly sent: boolean;
  /** Accepts a chunk; false requests a pause. */
  push(chunk: Buffer): boolean;
  /** The connection's handler, an asynchronous one, has returned: where it has read to the end in a loop, our direction ends too. */
  handlerReturned(): void;
  /** The program has asked for the end, and has written nothing for a while: our direction may end. */
  endIdle(): void;
  /** Calls `done` once all that the program wrote until now is on its way. */
  whenWritten(done: () => void): void;
  /** The system has taken what was queued. */
  drained(): void;
  ended(): void;
  closed(error: Error | undefined): void;
}

interface Waiting {
  act(source: RawBytesSource): void;
  failed(error: Error): void;
}

/** A stream whose connection may come later: until then, what is written to it waits. */
export class EarlyStream {
  readonly duplex: Duplex;
  #source: RawBytesSource | null = null;
  /** The write or the end that waits for the source: a stream has one of them under way. */
  #waiting: Waiting | null = null;

  /** @param gaveUp called where the stream is destroyed before it has a source */
  constructor(gaveUp: () => void = () => undefined) {
    this.duplex = this.#make(gaveUp);
  }

  fill(source: RawBytesSource): void {
    this.#source = source;
    this.#waiting?.act(source);
    this.#waiting = null;
  }

  #giveUp(error: Error | null): void {
    const why = error ?? new ConnectionClosedError('unknown', 'it was destroyed before it was connected');
    this.#waiting?.failed(why);
    this.#waiting = null;
  }

  #write(chunks: readonly Buffer[], done: (error?: Error | null) => void): void {
    if (this.#source !== null) {
      this.#source.output.write(chunks, done);
      return;
    }
    const act = ({ output }: RawBytesSource): void => {
      output.write(chunks, done);
    };
    this.#waiting = { act, failed: done };
  }

  #make(gaveUp: () => void): Duplex {
    const duplex = new Duplex({
      allowHalfOpen: true,
      // When both sides have ended, the socket may still have bytes to send: the stream is destroyed only after the socket.
      autoDestroy: false,
      read: () => {
        this.#source?.readOn();
      },
      write: (chunk: Buffer, _encoding, done) => {
        this.#write([chunk], done);
      },
      writev: (chunks: { chunk: Buffer }[], done) => {
        const buffers = chunks.map(({ chunk }) => chunk);
        this.#write(buffers, done);
      },
      final: (done) => {
        const act = (source: RawBytesSource): void => {
          source.end();
          done();
        };
        if (this.#source === null) this.#waiting = { act, failed: done };
        else act(this.#source);
      },
      destroy: (error, done) => {
        if (this.#source === null) gaveUp();
        else this.#source.destroy(error);
        // As with sockets, writes fail after the call that destroys.
        process.nextTick(() => this.#source?.output.abandon(error));
        done(error);
        this.#giveUp(error);
      },
    });
    // A peer's reset must not end the process of a program that only pipes.
    duplex.on('error', (error) => {
      if (duplex.listenerCount('error') === 1) this.#source?.report(error);
      // Without autoDestroy such a stream would never finish: it reads nothing more, and emits no end.
      if ((error as NodeJS.ErrnoException).code === 'ERR_STREAM_WRITE_AFTER_END') duplex.destroy(error);
    });
    return duplex;
  }
}

function duplexOver(early: EarlyStream, source: RawBytesSource): RawBytes & { readonly duplex: Duplex } {
  let ended = source.ended;
  let sent = false;
  const end = (): void => {
    sent = true;
    source.end();
  };
  const { duplex } = early;
  const loops = new LoopWatch(duplex, () => {
    source.left();
  });
  early.fill({ ...source, end });
  // As with a socket, `end` is emitted without a reader where nothing is left to read.
  const pushEnd = (): void => {
    duplex.push(null);
    duplex.read(0);
  };
  for (const chunk of source.held) duplex.push(chunk);
  if (ended) pushEnd();
  return {
    duplex,
    get finished() {
      return duplex.readableEnded && duplex.writableFinished;
    },
    get sent() {
      return sent;
    },
    handlerReturned: () => {
      if (loops.isRead && !duplex.writableEnded && !duplex.destroyed) duplex.end();
    },
    endIdle: () => {
      if (duplex.writableEnded || duplex.writableLength > 0) return;
      duplex.end();
      refuseWrites(duplex, () => source.goneError());
    },
    whenWritten: (done) => {
      if (duplex.destroyed || duplex.writableFinished) done();
      else if (duplex.writableEnded) duplex.once('finish', done);
      else duplex.write('', done);
    },
    push: (chunk) => duplex.push(chunk),
    drained: () => undefined,
    ended: () => {
      if (ended || duplex.destroyed) return;
      ended = true;
      pushEnd();
    },
    closed: (error) => {
      refuseWrites(duplex, () => source.goneError());
      // The program can still read what arrived before, unless it waits for a write.
      const isReadable = ended && !duplex.readableEnded && !source.output.isPending;
      if (error === undefined && isReadable) duplex.once('end', () => duplex.destroy());
      else if (!duplex.destroyed) duplex.destroy(loops.isLeft ? undefined : error);
    },
  };
}

/** What is written after the library has ended our direction fails as the program's other calls do; Node's own errors say neither where nor why. */
function refuseWrites(duplex: Duplex, why: () => Error): void {
  const refuse = (done: unknown): false => {
    const error = why();
    if (typeof done === 'function') process.nextTick(done, error);
    duplex.destroy(error);
    return false;
  };
  const end = duplex.end.bind(duplex) as (...given: unknown[]) => Duplex;
  duplex.write = (...given: unknown[]) => refuse(given.at(-1));
  duplex.end = (...given: unknown[]) => {
    const [last] = given;
    if (last === undefined || last === null || typeof last === 'function') return end(...given);
    refuse(given.at(-1));
    return duplex;
  };
}
