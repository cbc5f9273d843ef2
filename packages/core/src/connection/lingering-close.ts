/**
 * Ending towards a peer that may still be sending: what was written goes out, and further input is discarded, for at
 * most a second or 8 MiB, then the socket is destroyed. Ended without reading, it would stay open; if destroyed at once, the
 * reset would overtake the last frame.
 */
import type { EasySocketError } from '../errors/index.js';
import type { ByteStream } from '../transport/byte-stream.js';
import { encodeFailure } from './close-frame.js';
import { Writer } from './writer.js';

export const LINGER_MS = 1_000;
const MOST_BYTES = 8_388_608;

export class LingeringClose {
  readonly #stream: ByteStream;
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  /** Ends the stream, after what was written to it. */
  constructor(stream: ByteStream) {
    this.#stream = stream;
    this.#timer = setTimeout(() => {
      stream.destroy();
    }, LINGER_MS);
    stream.end();
  }

  /** Reads and discards input. */
  discard(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MOST_BYTES) this.#stream.destroy();
  }

  /** The stream is gone. */
  over(): void {
    clearTimeout(this.#timer);
  }
}

/** Refuses a peer after its handshake, on the knsock framing: the reason is sent first. */
export function refusePeer(stream: ByteStream, error: EasySocketError): void {
  const writer = new Writer(stream, { written: () => undefined });
  encodeFailure(writer, error, false);
  writer.flush();
  endPeer(stream);
}

/** What was written goes out, the handshake's last flight included; what the peer still sends is discarded. */
export function endPeer(stream: ByteStream): void {
  const lingering = new LingeringClose(stream);
  stream.open({
    data: (chunk) => {
      lingering.discard(chunk);
    },
    end: () => {
      stream.destroy();
    },
    drain: () => undefined,
    gone: () => {
      lingering.over();
    },
  });
}
