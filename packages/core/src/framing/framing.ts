/**
 * The one interface that every framing implements: how messages become bytes and bytes become messages.
 *
 * Rules
 * - A framing is a stateless description, shared by all connections; `decoder()` makes the state of one connection.
 * - Everything here is pure: no socket, no timer, no event.
 * - Limits are checked before anything is allocated, and memory held is in proportion to bytes received,
 *   not to lengths announced.
 * - A decoded payload may be a view into the chunk it came in; neither is modified again, unless the decoder lends.
 */
import { isUint8Array } from 'node:util/types';
import { InvalidOptionError } from '../errors/index.js';
import { isLent } from './lent-memory.js';
import { copyOf } from './view.js';

/** What a program sends: text is sent as UTF-8. The bytes must not change until they are sent. */
export type Payload = string | Uint8Array;

/** What a framing knows of the connection it decodes for. */
export interface FramingLimits {
  /** The largest message accepted, in bytes of payload. */
  readonly maxMessageBytes: number;
}

/** Takes decoded payloads, in order, within the call that decodes them. */
export interface MessageSink {
  /** Takes a whole message; the memory is the sink's from then on. */
  message(payload: Buffer): void;
}

/** Takes encoded bytes; the connection gathers them into one write per turn of the event loop. */
export interface Output {
  /** The memory that `reserve` speaks of; read it anew after each call of `reserve`. */
  readonly buffer: Buffer;
  /** Makes room for `length` (≤ 1,024) bytes of header and returns where in `buffer` they must be written. */
  reserve(length: number): number;
  /** Appends payload bytes: small ones are copied, large ones sent from where they are. */
  append(bytes: Uint8Array): void;
}

/** Turns one connection's bytes into messages. */
export interface Decoder {
  /**
   * Takes the next bytes, handing every payload that is whole now to the sink.
   * @throws ProtocolError (or one of its kind) where the bytes break the framing; the decoder is dead then.
   */
  push(chunk: Buffer, sink: MessageSink): void;
  /**
   * Says that no more bytes will come.
   * @throws TruncatedMessageError where they ended inside a message.
   */
  end(sink: MessageSink): void;
  /**
   * How many of the next bytes will only be copied out of the chunk that brings them, as the middle of a message is:
   * such a chunk may come in memory that is used again after `push`. Absent: none.
   */
  readonly copiesNext?: number;
  /**
   * From now on payloads are used only until `message` returns: the decoder may use their memory again, and keeps no part
   * of a chunk after `push`, since chunks may come in memory that is used again too. Absent: nothing is used again.
   */
  lend?(): void;
}

/** How messages become bytes and bytes become messages; implement it to bring a framing of your own. */
export interface Framing<In = Buffer, Out = Payload> {
  /** Shown in errors and events, such as `'lines'`. */
  readonly name: string;
  /** The ALPN protocol that both sides demand; without one none is sent. */
  readonly alpn?: string | undefined;
  /** Whether a peer that does no ALPN is accepted too; default false. One that offers only others never is. */
  readonly alpnOptional?: boolean | undefined;
  /** Starts the decoding of one connection. */
  decoder(limits: FramingLimits): Decoder;
  /**
   * Writes one message.
   * @throws ProtocolError where the payload can't be expressed in this framing; nothing was written then.
   */
  encode(payload: Uint8Array, out: Output): void;
  /**
   * Turns a payload into what the program receives; absent: the payload itself.
   * @throws ProtocolError (InvalidJsonError, …) where it isn't one; the framing itself stays intact.
   */
  readonly parse?: ((payload: Buffer) => In) | undefined;
  /** Turns what the program sends into a payload; absent: it is one already. */
  readonly print?: ((message: Out) => Payload) | undefined;
}

/**
 * What `message` is in bytes, by the framing's own printing.
 * @throws InvalidOptionError for what is neither text nor bytes: sent all the same, it would break the connection
 */
export function toBytes<In, Out>(framing: Framing<In, Out>, message: Out): Uint8Array {
  const payload = printed(framing, message);
  // Bytes of another realm are bytes as well.
  if (isUint8Array(payload)) return isLent(payload) ? copyOf(payload) : payload;
  throw unsendable(
    `a message must be text or bytes, and this one is ${typeName(payload)}`,
    'Send a string, a Buffer or another Uint8Array; json(framing) sends any other value.',
  );
}

/** What a request handler returned, in bytes. @throws InvalidOptionError as `toBytes` */
export function answerToBytes<In, Out>(framing: Framing<In, Out>, answer: Out): Uint8Array {
  const payload = printed(framing, answer);
  if (isUint8Array(payload)) return payload;
  throw unsendable(
    `a request handler returns its answer as text or bytes, and this one returned ${typeName(payload)}`,
    "Return a string, a Buffer or another Uint8Array, '' for an empty answer; json(framing) takes any other value.",
  );
}

function printed<In, Out>(framing: Framing<In, Out>, message: Out): unknown {
  const payload: unknown = framing.print === undefined ? message : framing.print(message);
  return typeof payload === 'string' ? Buffer.from(payload) : payload;
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return `a value of type ${typeof value}`;
}

const unsendable = (message: string, hint: string): InvalidOptionError =>
  new InvalidOptionError('payload', message, { hint });
