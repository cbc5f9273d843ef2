/** The raw bytes of a connection as a Node stream that half-closes both ways. */
import { Duplex } from 'node:stream';
import { ConnectionClosedError } from '../errors/index.js';
import type { ByteStream } from '../transport/byte-stream.js';
import { consumed, type CallFailures } from './call-failures.js';
import type { Writer } from './writer.js';

/** The connection whose bytes a stream takes over. */
export interface StreamedConnection extends Pick<CallFailures, 'named'> {
  readonly receiveQueue: { takeAll(): unknown[]; closeTo(why: string): void };
  readonly reading: { resume(): void };
  readonly writer: Writer;
  readonly stream: ByteStream;
  readonly isPeerFinished: boolean;
  readonly isGone: boolean;
  readonly mayAnswer: boolean;
  readonly goneError: Error;
  raw: RawBytes | null;
  sendLater(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void>;
  progress(): void;
  destroy(error: Error | undefined): void;
  report(error: Error, request: null, what: string): void;
}

/** Takes over the raw bytes of a connection. @throws EasySocketError KNSOCK_CONSUMED where they have a consumer already */
export function openStream(connection: StreamedConnection): Duplex {
  if (connection.raw !== null)
    throw consumed(connection, 'messages', 'its bytes are taken already by relay()');
  connection.receiveQueue.closeTo('stream() takes the bytes');
  const raw = duplexOver({
    held: connection.receiveQueue.takeAll() as Buffer[],
    ended: connection.isPeerFinished,
    readOn: () => {
      connection.reading.resume();
    },
    write: (bytes) =>
      connection.mayAnswer ? connection.sendLater(bytes, undefined) : Promise.reject(connection.goneError),
    end: () => {
      connection.writer.flush();
      connection.stream.end();
      connection.progress();
    },
    destroy: (error) => {
      connection.destroy(error ?? undefined);
    },
    report: (error) => {
      connection.report(error, null, 'a stream without a listener of errors');
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
  write(bytes: Buffer): Promise<void>;
  end(): void;
  destroy(error: Error | null): void;
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
  /** The program has asked for the end, and has written nothing for a while: our direction may end. */
  endIdle(): void;
  /** The system has taken what was queued. */
  drained(): void;
  ended(): void;
  closed(error: Error | undefined): void;
}

function duplexOver(source: RawBytesSource): RawBytes & { readonly duplex: Duplex } {
  let ended = source.ended;
  let sent = false;
  const end = (): void => {
    sent = true;
    source.end();
  };
  const duplex = makeDuplex({ ...source, end });
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
    endIdle: () => {
      if (!duplex.writableEnded && duplex.writableLength === 0) duplex.end();
    },
    push: (chunk) => duplex.push(chunk),
    drained: () => undefined,
    ended: () => {
      if (ended || duplex.destroyed) return;
      ended = true;
      pushEnd();
    },
    closed: (error) => {
      // The program can still read what arrived before.
      if (error === undefined && ended && !duplex.readableEnded) duplex.once('end', () => duplex.destroy());
      else if (!duplex.destroyed) duplex.destroy(error);
    },
  };
}

function makeDuplex(source: RawBytesSource): Duplex {
  const duplex = new Duplex({
    allowHalfOpen: true,
    // When both sides have ended, the socket may still have bytes to send: the stream is destroyed only after the socket.
    autoDestroy: false,
    read: () => {
      source.readOn();
    },
    write: (chunk: Buffer, _encoding, done) => {
      source.write(chunk).then(() => {
        done();
      }, done);
    },
    final: (done) => {
      source.end();
      done();
    },
    destroy: (error, done) => {
      source.destroy(error);
      done(error);
    },
  });
  // A peer's reset must not end the process of a program that only pipes.
  duplex.on('error', (error) => {
    if (duplex.listenerCount('error') === 1) source.report(error);
    // Without autoDestroy such a stream would never finish: it reads nothing more, and emits no end.
    if ((error as NodeJS.ErrnoException).code === 'ERR_STREAM_WRITE_AFTER_END') duplex.destroy(error);
  });
  return duplex;
}
