/** Turning a peer of the knsock framing away after its handshake: it learns why. */
import type { EasySocketError } from '../errors/index.js';
import type { ByteStream } from '../transport/byte-stream.js';
import { Farewell } from './farewell.js';
import { encodeLastWords } from './last-words.js';
import { Writer } from './writer.js';

export function refusePeer(stream: ByteStream, error: EasySocketError): void {
  const writer = new Writer(stream, { written: () => undefined });
  encodeLastWords(writer, error);
  writer.flush();
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
