/** The raw bytes of a connection as a Node stream that half-closes both ways. */
import { Duplex } from 'node:stream';
import type { ByteStream } from '../transport/byte-stream.js';

/** What the stream needs of its connection. */
export interface RawBytesSource {
  /** Bytes that arrived before. */
  readonly held: readonly Buffer[];
  /** Whether the peer ended already. */
  readonly ended: boolean;
  write(bytes: Buffer): Promise<void>;
  end(): void;
  destroy(error: Error | null): void;
}

/** The stream, and what the connection tells it. */
export interface RawBytes {
  readonly duplex: Duplex;
  /** Whether both directions have ended. */
  readonly finished: boolean;
  /** Takes a chunk; false asks for a pause. */
  push(chunk: Buffer): boolean;
  ended(): void;
  closed(error: Error | undefined): void;
}

export function duplexOver(stream: ByteStream, source: RawBytesSource): RawBytes {
  const duplex = new Duplex({
    allowHalfOpen: true,
    read() {
      stream.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      source.write(chunk).then(() => {
        done();
      }, done);
    },
    final(done) {
      source.end();
      done();
    },
    destroy(error, done) {
      source.destroy(error);
      done(error);
    },
  });
  for (const chunk of source.held) duplex.push(chunk);
  if (source.ended) duplex.push(null);
  return {
    duplex,
    get finished() {
      return duplex.readableEnded && duplex.writableFinished;
    },
    push: (chunk) => duplex.push(chunk),
    ended: () => duplex.push(null),
    closed: (error) => {
      if (!duplex.destroyed) duplex.destroy(error);
    },
  };
}
