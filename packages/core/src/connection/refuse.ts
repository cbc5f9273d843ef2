/** Turning a peer away after its handshake: on the knsock framing it learns why, others see a clean end. */
import type { EasySocketError } from '../errors/index.js';
import type { ByteStream } from '../transport/byte-stream.js';
import { Farewell } from './farewell.js';
import { encodeLastWords } from './last-words.js';
import { Writer } from './writer.js';

/** The reason goes out first. */
export function refusePeer(stream: ByteStream, error: EasySocketError): void {
  const writer = new Writer(stream, { written: () => undefined });
  encodeLastWords(writer, error);
  writer.flush();
  endPeer(stream);
}

/** What was written goes out, the handshake's last flight included; what the peer still sends is read away. */
export function endPeer(stream: ByteStream): void {
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
