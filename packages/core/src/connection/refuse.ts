/** Turning a peer away after its handshake; on the knsock framing it learns why. */
import type { EasySocketError } from '../errors/index.js';
import type { ByteStream } from '../transport/byte-stream.js';
import { Farewell } from './farewell.js';
import { encodeLastWords } from './last-words.js';
import { Writer } from './writer.js';

/** @param speaksKnsock whether the peer understands a frame; else the end of the bytes is all it sees */
export function refusePeer(stream: ByteStream, error: EasySocketError, speaksKnsock: boolean): void {
  if (speaksKnsock) {
    const writer = new Writer(stream, { written: () => undefined });
    encodeLastWords(writer, error);
    writer.flush();
  }
  const farewell = new Farewell(stream);
  stream.open({
    data: (chunk) => {
      farewell.discard(chunk);
    },
    end: () => {
      stream.destroy();
    },
    drain: () => undefined,
    gone: () => {
      farewell.over();
    },
  });
}
