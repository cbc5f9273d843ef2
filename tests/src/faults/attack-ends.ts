/** The ways in which a peer ends a connection, written by hand on node:tls. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { frame, kind, requestFrame } from '../support/hand-made-peer.js';

const CLOSE = 0x0a;

/** How one framing looks on the wire. */
export interface Wire {
  readonly message: (text: string) => Buffer;
  readonly request: (text: string) => Buffer;
  /** The beginning of a message that never comes to its end. */
  readonly torn: Buffer;
  /** What no peer may send; on framings that take everything, a message. */
  readonly invalid: Buffer;
  /** Said before the end of the stream; empty where there is no word for it. */
  readonly farewell: Buffer;
  /** The announcement that the end is near. */
  readonly notice: Buffer;
}

const NOTHING = Buffer.alloc(0);
const text = (of: (message: string) => string) => (message: string) => Buffer.from(of(message));
const prefixed = (message: string): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(message.length);
  return Buffer.concat([head, Buffer.from(message)]);
};

/** Framings that carry messages alone, as requests too. */
function plain(message: (text: string) => Buffer, invalid: Buffer): Wire {
  const torn = message('torn').subarray(0, 3);
  return { message, request: message, torn, invalid, farewell: NOTHING, notice: NOTHING };
}

export const wires: Readonly<Record<string, Wire>> = {
  knsock: {
    message: (message) => frame(kind.message, Buffer.from(message)),
    request: (message) => requestFrame(1, Buffer.from(message)),
    torn: frame(kind.message, Buffer.from('torn')).subarray(0, 6),
    invalid: frame(0x7f, Buffer.alloc(1)),
    farewell: frame(CLOSE, NOTHING),
    notice: frame(kind.goaway, Buffer.alloc(8)),
  },
  'length-prefixed': plain(prefixed, Buffer.from('ffffffff00', 'hex')),
  lines: plain(
    text((message) => `${message}\n`),
    Buffer.alloc(1_200_000, 'x'),
  ),
  json: plain(
    text((message) => `${JSON.stringify(message)}\n`),
    Buffer.from('{"a":\n'),
  ),
  raw: plain(
    text((message) => message),
    Buffer.from('anything'),
  ),
};

/** A peer whose handshake is done. */
export interface Attacker {
  readonly wire: Wire;
  readonly tls: TLSSocket;
  /** The TCP connection below. */
  readonly tcp: Socket;
}

export const ends: Readonly<Record<string, (attacker: Attacker) => void>> = {
  'says its end, and waits for ours': ({ tls, wire }) => {
    if (wire.farewell.length > 0) tls.write(wire.farewell);
    else tls.end();
  },
  'says its end, and ends at once': ({ tls, wire }) => {
    tls.end(wire.farewell);
  },
  'ends without a word': ({ tls }) => {
    tls.end();
  },
  'closes without close_notify': ({ tls }) => {
    tls.destroy();
  },
  resets: ({ tcp }) => {
    tcp.resetAndDestroy();
  },
  'ends in the middle of a message': ({ tls, wire }) => {
    tls.end(wire.torn);
  },
  'resets in the middle of a message': ({ tls, tcp, wire }) => {
    tls.write(wire.torn, () => tcp.resetAndDestroy());
  },
  'ends right behind messages': ({ tls, wire }) => {
    tls.end(Buffer.concat([wire.message('last'), wire.message('really'), wire.farewell]));
  },
  'resets right behind messages': ({ tls, tcp, wire }) => {
    tls.write(Buffer.concat([wire.message('last'), wire.farewell]), () => tcp.resetAndDestroy());
  },
  'sends what it may not, and stays': ({ tls, wire }) => {
    tls.write(wire.invalid);
    // On framings that take everything nothing was wrong with it.
    setTimeout(() => tls.end(), 500);
  },
  'damages a record': ({ tcp, tls }) => {
    tcp.write(
      Buffer.from('17030300201111111111111111111111111111111111111111111111111111111111111111', 'hex'),
    );
    setTimeout(() => tls.destroy(), 500);
  },
  'announces its end, then ends': ({ tls, wire }) => {
    tls.write(wire.notice);
    setTimeout(() => tls.end(wire.farewell), 20);
  },
  'stops reading, then resets': ({ tls, tcp }) => {
    tls.pause();
    setTimeout(() => tcp.resetAndDestroy(), 50);
  },
  'leaves with a request under way': ({ tls, tcp, wire }) => {
    tls.write(wire.request('leaving'), () => tcp.destroy());
  },
};
