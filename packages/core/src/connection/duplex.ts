/** The raw bytes of a connection as a Node stream that half-closes both ways. */
import { Duplex } from 'node:stream';

/** What the stream needs of its connection. */
export interface RawBytesSource {
  /** Bytes that arrived before. */
  readonly held: readonly Buffer[];
  /** Whether the peer ended already. */
  readonly ended: boolean;
  /** There is room for more input. */
  readOn(): void;
  write(bytes: Buffer): Promise<void>;
  end(): void;
  destroy(error: Error | null): void;
}

/** Who took the raw bytes over, and what the connection tells it. */
export interface RawBytes {
  /** Whether both directions have ended. */
  readonly finished: boolean;
  /** Takes a chunk; false asks for a pause. */
  push(chunk: Buffer): boolean;
  /** The system has taken what was queued. */
  drained(): void;
  ended(): void;
  closed(error: Error | undefined): void;
}

export function duplexOver(source: RawBytesSource): RawBytes & { readonly duplex: Duplex } {
  let ended = source.ended;
  const duplex = makeDuplex(source);
  for (const chunk of source.held) duplex.push(chunk);
  if (ended) duplex.push(null);
  return {
    duplex,
    get finished() {
      return duplex.readableEnded && duplex.writableFinished;
    },
    push: (chunk) => duplex.push(chunk),
    drained: () => undefined,
    ended: () => {
      if (ended || duplex.destroyed) return;
      ended = true;
      duplex.push(null);
    },
    closed: (error) => {
      // What arrived and wasn't read yet is still the program's to read.
      if (error === undefined && ended && !duplex.readableEnded) duplex.once('end', () => duplex.destroy());
      else if (!duplex.destroyed) duplex.destroy(error);
    },
  };
}

function makeDuplex(source: RawBytesSource): Duplex {
  return new Duplex({
    allowHalfOpen: true,
    // When both sides have ended, the socket may still have bytes to send: it goes first, and the stream with it.
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
}
