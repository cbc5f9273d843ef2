/**
 * Turning a peer away after its handshake. On the knsock framing it learns why by a REFUSED frame: write, end, read
 * away what it still sends (for at most a second or 8 MiB), destroy; otherwise the frame is lost to a peer that writes.
 */
import { PeerNotAllowedError, UntrustedPeerError, type EasySocketError } from '../errors/index.js';
import { encodeClose, encodeRefused } from '../framing/knsock/index.js';
import type { ByteStream } from '../transport/byte-stream.js';
import { Writer } from './writer.js';

const FAREWELL_MS = 1_000;
const FAREWELL_BYTES = 8_388_608;

/** @param speaksKnsock whether the peer understands a frame; else the end of the bytes is all it sees */
export function refusePeer(stream: ByteStream, error: EasySocketError, speaksKnsock: boolean): void {
  let bytes = FAREWELL_BYTES;
  const timer = setTimeout(() => {
    stream.destroy();
  }, FAREWELL_MS);
  stream.open({
    data: (chunk) => {
      bytes -= chunk.length;
      if (bytes < 0) stream.destroy();
    },
    end: () => {
      stream.destroy();
    },
    drain: () => undefined,
    gone: () => {
      clearTimeout(timer);
    },
  });
  if (speaksKnsock) sayWhy(stream, error);
  stream.end();
}

function sayWhy(stream: ByteStream, error: EasySocketError): void {
  const writer = new Writer(stream, () => undefined);
  if (error instanceof UntrustedPeerError || error instanceof PeerNotAllowedError) {
    // The words name what our rules ask for; the peer learns the reason and not the rules.
    encodeRefused(
      writer,
      error.reason,
      error instanceof UntrustedPeerError ? error.message : 'no rule here admits this certificate',
    );
  } else encodeClose(writer, { code: error.code, text: error.message });
  writer.flush();
}
