/** The server name of a TLS ClientHello, read before TLS begins (RFC 8446 4.1.2, RFC 6066 3). */

/** What the bytes so far are. */
export type ClientHello =
  | { readonly status: 'incomplete' }
  /** Not a ClientHello, or one that is malformed: TLS itself will say what is wrong. */
  | { readonly status: 'other' }
  | { readonly status: 'complete'; readonly servername: string | null };

/** No client sends more; OpenSSL's own bound is near. */
export const MAX_CLIENT_HELLO = 65_536;

const HANDSHAKE_RECORD = 22;
const TLS_MAJOR = 3;
const LONGEST_RECORD = 16_640;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const INCOMPLETE: ClientHello = { status: 'incomplete' };
const OTHER: ClientHello = { status: 'other' };

/**
 * Reads the beginning of a connection, chunk by chunk. Each byte is looked at once: a hello cut into records of one byte
 * costs no more than a whole one.
 */
export class ClientHelloReader {
  readonly #recordHead: number[] = [];
  readonly #messageHead: number[] = [];
  readonly #parts: Buffer[] = [];
  #recordLeft = 0;
  #gathered = 0;
  /** The length of the message, its head included; unknown until that is read. */
  #needed = Number.POSITIVE_INFINITY;

  /** Takes the next bytes and says what they are so far; after another word than `incomplete` nothing more is to be read. */
  push(chunk: Buffer): ClientHello {
    let at = 0;
    while (at < chunk.length) {
      if (this.#recordLeft === 0) {
        this.#recordHead.push(chunk[at++] as number);
        if (!this.#beginRecord()) return OTHER;
        continue;
      }
      const part = chunk.subarray(at, at + this.#recordLeft);
      at += part.length;
      if (!this.#gather(part)) return OTHER;
      if (this.#gathered >= this.#needed) return this.#complete();
    }
    return INCOMPLETE;
  }

  /** The head of a record grew by a byte; false where it can't be one of a ClientHello. */
  #beginRecord(): boolean {
    const [type, major, , high = 0, low = 0] = this.#recordHead;
    if (type !== HANDSHAKE_RECORD || (major ?? TLS_MAJOR) !== TLS_MAJOR) return false;
    if (this.#recordHead.length < 5) return true;
    this.#recordHead.length = 0;
    this.#recordLeft = high * 256 + low;
    return this.#recordLeft > 0 && this.#recordLeft <= LONGEST_RECORD;
  }

  #gather(part: Buffer): boolean {
    this.#recordLeft -= part.length;
    this.#gathered += part.length;
    this.#parts.push(part);
    if (this.#messageHead.length === 4) return true;
    this.#messageHead.push(...part.subarray(0, 4 - this.#messageHead.length));
    const [type, high = 0, middle = 0, low = 0] = this.#messageHead;
    if (type !== CLIENT_HELLO) return false;
    if (this.#messageHead.length === 4) this.#needed = 4 + high * 65_536 + middle * 256 + low;
    return this.#messageHead.length < 4 || this.#needed <= MAX_CLIENT_HELLO;
  }

  #complete(): ClientHello {
    const servername = serverNameOf(Buffer.concat(this.#parts).subarray(4, this.#needed));
    return servername === undefined ? OTHER : { status: 'complete', servername };
  }
}

/** null: no name; undefined: malformed. */
function serverNameOf(hello: Buffer): string | null | undefined {
  const reader = new Reader(hello);
  reader.skip(2 + 32);
  reader.skip(reader.uint8());
  reader.skip(reader.uint16());
  reader.skip(reader.uint8());
  if (reader.failed) return undefined;
  if (reader.atEnd) return null;
  const extensions = new Reader(reader.take(reader.uint16()));
  while (!extensions.atEnd && !extensions.failed) {
    const type = extensions.uint16();
    const body = extensions.take(extensions.uint16());
    if (extensions.failed) return undefined;
    if (type === SERVER_NAME) return hostNameOf(body);
  }
  return reader.failed || extensions.failed ? undefined : null;
}

function hostNameOf(body: Buffer): string | null | undefined {
  const list = new Reader(body);
  const names = new Reader(list.take(list.uint16()));
  while (!names.atEnd && !names.failed) {
    const type = names.uint8();
    const name = names.take(names.uint16());
    if (!names.failed && type === 0) return name.toString('latin1');
  }
  return list.failed || names.failed ? undefined : null;
}

/** Reads forward; past the end everything is zero and `failed` says so. */
class Reader {
  failed = false;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  uint8(): number {
    return this.take(1)[0] ?? 0;
  }

  uint16(): number {
    const bytes = this.take(2);
    return bytes.length === 2 ? bytes.readUInt16BE() : 0;
  }

  skip(length: number): void {
    this.take(length);
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) this.failed = true;
    const bytes = this.failed ? this.#bytes.subarray(0, 0) : this.#bytes.subarray(this.#at, end);
    this.#at = Math.min(end, this.#bytes.length);
    return bytes;
  }
}
