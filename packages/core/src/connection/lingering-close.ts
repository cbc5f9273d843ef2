/**
 * Ending towards a peer that may still be sending: what was written goes out, and further input is discarded, for at
 * most a second after the last of our bytes, or 8 MiB, then the socket is destroyed. Ended without reading, it would stay open; if destroyed at once, the
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
  readonly #patience: number;
  #timer: NodeJS.Timeout | undefined;
  #bytes = 0;
  /** How long the system has taken nothing of ours, in ms. */
  #still = 0;

  /**
   * Ends the stream, after what was written to it.
   * @param how whether the peer may take that for an end
   * @param patience how long the peer may take nothing of what was written, in ms
   */
  constructor(stream: ByteStream, how: 'end' | 'cut' = 'end', patience = LINGER_MS) {
    this.#stream = stream;
    this.#patience = patience;
    stream[how]();
    this.#wait();
  }

  #wait(wasSending = false): void {
    const { bytesTaken } = this.#stream;
    this.#timer = setTimeout(() => {
      this.#still = this.#stream.bytesTaken === bytesTaken ? this.#still + LINGER_MS : 0;
      const { isSending } = this.#stream;
      if (isSending ? this.#still < this.#patience : wasSending) this.#wait(isSending);
      else this.#stream.destroy();
    }, LINGER_MS);
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
