/** Messages as bytes, encoded beforehand by the load generator, which must cost far less than what it measures. */

export type WireFraming = 'raw' | 'lines' | 'length-prefixed' | 'json' | 'knsock' | 'knsock-request';

/** The bytes of knsock/1 that a bare client needs (docs/wire-format.md). */
const WELCOME = 1;
const MESSAGE = 3;
const REQUEST = 4;
export const KNSOCK_ALPN = 'knsock/1';
export const WELCOME_BYTES = 13;
const NO_LIMIT = 0xffff_ffff;
const REQUEST_ID_AT = 5;

export function usesKnsock(framing: WireFraming): boolean {
  return framing === 'knsock' || framing === 'knsock-request';
}

export function welcome(): Buffer {
  const frame = knsockFrame(WELCOME, Buffer.alloc(8));
  frame.writeUInt32BE(NO_LIMIT, 5);
  frame.writeUInt32BE(NO_LIMIT, 9);
  return frame;
}

/** One message; the answer of an echo has as many bytes. */
export function frameOf(framing: WireFraming, payload: Buffer): Buffer {
  switch (framing) {
    case 'raw':
      return payload;
    case 'lines':
      return Buffer.concat([payload, Buffer.from('\n')]);
    case 'length-prefixed':
      return Buffer.concat([uint32(payload.length), payload]);
    case 'json':
      // The payload becomes a JSON string that takes as many bytes, its quotes included.
      return frameOf('length-prefixed', Buffer.from(JSON.stringify(payload.toString('latin1').slice(2))));
    case 'knsock':
      return knsockFrame(MESSAGE, payload);
    case 'knsock-request':
      return knsockFrame(REQUEST, Buffer.concat([Buffer.alloc(8), payload]));
  }
}

/** Numbers the requests of a batch, as ids only grow. */
export function numberRequests(batch: Buffer, frameBytes: number, firstId: number): void {
  let id = firstId;
  for (let at = REQUEST_ID_AT; at < batch.length; at += frameBytes) batch.writeUIntBE(id++, at + 2, 6);
}

function knsockFrame(kind: number, body: Buffer): Buffer {
  return Buffer.concat([uint32(body.length + 1), Buffer.of(kind), body]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
