/**
 * The server name of a TLS ClientHello, read before TLS begins (RFC 8446 4.1.2, RFC 6066 3), and whether an ACME server
 * says it, to validate that name (RFC 8737).
 *
 * The name decides which clients are trusted, so this reader and OpenSSL must never see different names. It is strict:
 * - bytes that aren't TLS at all are left to OpenSSL, which refuses them and reports what they are;
 * - TLS whose name is ambiguous or unreadable is refused here, and never reaches OpenSSL.
 */

/** What the bytes so far are. */
export type ClientHello =
  | { readonly status: 'incomplete' }
  /** Not TLS, or SSL 2, which has no server names: OpenSSL reports what is wrong. */
  | { readonly status: 'other' }
  /** TLS that no common client sends; `alert` is the alert to send. */
  | { readonly status: 'refused'; readonly alert: number; readonly why: string }
  | ({ readonly status: 'complete' } & HelloFacts);

interface HelloFacts {
  readonly servername: string | null;
  /** Whether its ALPN offers `acme-tls/1` and nothing else, as an ACME server's does. */
  readonly isValidation: boolean;
}

/** No client sends more; OpenSSL's own bound is 131,396. */
export const MAX_CLIENT_HELLO = 65_536;

const FIRST_RECORD_TYPE = 20;
const LAST_RECORD_TYPE = 24;
const HANDSHAKE_RECORD = 22;
const TLS_MAJOR = 3;
const LONGEST_RECORD = 16_384;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;
const HOST_NAME = 0;
/** RFC 6066 3: a DNS name. */
const LONGEST_NAME = 255;

/** The ALPN protocol of tls-alpn-01 (RFC 8737 6.2). */
export const ACME_TLS = 'acme-tls/1';
/** The body of an ALPN extension (RFC 7301 3.1) with that protocol alone. */
const ACME_TLS_ALONE = Buffer.from(`\0\x0b\x0a${ACME_TLS}`, 'latin1');

const UNEXPECTED_MESSAGE = 10;
const RECORD_OVERFLOW = 22;
const DECODE_ERROR = 50;

const INCOMPLETE: ClientHello = { status: 'incomplete' };
const OTHER: ClientHello = { status: 'other' };

/**
 * Reads the beginning of a connection, chunk by chunk. Each byte is read once: a hello split into records of one byte
 * costs no more than a whole one.
 */
export class ClientHelloReader {
  readonly #recordHead: number[] = [];
  readonly #messageHead: number[] = [];
  readonly #parts: Buffer[] = [];
  #recordLeft = 0;
  #gathered = 0;
  /** The length of the message, its header included; unknown until that is read. */
  #needed = Number.POSITIVE_INFINITY;

  /** Takes the next bytes and returns what they are so far; after any result but `incomplete` nothing more is to be read. */
  push(chunk: Buffer): ClientHello {
    let at = 0;
    while (at < chunk.length) {
      if (this.#recordLeft === 0) {
        this.#recordHead.push(chunk[at++] as number);
        const wrong = this.#beginRecord();
        if (wrong !== null) return wrong;
        continue;
      }
      const part = chunk.subarray(at, at + this.#recordLeft);
      at += part.length;
      const wrong = this.#gather(part);
      if (wrong !== null) return wrong;
      if (this.#gathered >= this.#needed) return this.#complete();
    }
    return INCOMPLETE;
  }

  /** The header of a record grew by a byte; null as long as it can be one of a ClientHello. */
  #beginRecord(): ClientHello | null {
    const [type = 0, major = TLS_MAJOR, , high = 0, low = 0] = this.#recordHead;
    if (type < FIRST_RECORD_TYPE || type > LAST_RECORD_TYPE || major !== TLS_MAJOR) {
      return this.#gathered === 0
        ? OTHER
        : refused(UNEXPECTED_MESSAGE, "a record that isn't TLS in its midst");
    }
    if (this.#recordHead.length < 5) return null;
    this.#recordHead.length = 0;
    if (type !== HANDSHAKE_RECORD)
      return refused(UNEXPECTED_MESSAGE, `a record of content type ${type} before its end`);
    this.#recordLeft = high * 256 + low;
    // RFC 8446 5.1 and RFC 5246 6.2.1 forbid empty ones. OpenSSL skips them.
    if (this.#recordLeft === 0) return refused(UNEXPECTED_MESSAGE, 'an empty handshake record');
    if (this.#recordLeft <= LONGEST_RECORD) return null;
    return refused(RECORD_OVERFLOW, `a record of ${this.#recordLeft} bytes; the most is ${LONGEST_RECORD}`);
  }

  #gather(part: Buffer): ClientHello | null {
    this.#recordLeft -= part.length;
    this.#gathered += part.length;
    this.#parts.push(part);
    if (this.#messageHead.length === 4) return null;
    this.#messageHead.push(...part.subarray(0, 4 - this.#messageHead.length));
    const [type = CLIENT_HELLO, high = 0, middle = 0, low = 0] = this.#messageHead;
    if (type !== CLIENT_HELLO) return refused(UNEXPECTED_MESSAGE, `a handshake message of type ${type}`);
    if (this.#messageHead.length < 4) return null;
    const length = high * 65_536 + middle * 256 + low;
    this.#needed = 4 + length;
    if (this.#needed <= MAX_CLIENT_HELLO) return null;
    return refused(DECODE_ERROR, `${this.#needed} bytes; the most is ${MAX_CLIENT_HELLO}`);
  }

  #complete(): ClientHello {
    const facts = factsOf(Buffer.concat(this.#parts).subarray(4, this.#needed));
    if (facts !== undefined) return { status: 'complete', ...facts };
    return refused(DECODE_ERROR, 'fields or a server name that are malformed');
  }
}

function refused(alert: number, why: string): ClientHello {
  return { status: 'refused', alert, why };
}

const NO_EXTENSIONS: HelloFacts = { servername: null, isValidation: false };

/** Undefined: malformed. */
function factsOf(hello: Buffer): HelloFacts | undefined {
  const reader = new Reader(hello);
  reader.skip(2 + 32);
  reader.skip(reader.uint8());
  reader.skip(reader.uint16());
  reader.skip(reader.uint8());
  if (reader.failed) return undefined;
  if (reader.atEnd) return NO_EXTENSIONS;
  const extensions = new Reader(reader.take(reader.uint16()));
  if (reader.failed || !reader.atEnd) return undefined;
  return readExtensions(extensions);
}

function readExtensions(extensions: Reader): HelloFacts | undefined {
  let servername: string | null = null;
  const protocols: Buffer[] = [];
  while (!extensions.atEnd) {
    const type = extensions.uint16();
    const body = extensions.take(extensions.uint16());
    if (extensions.failed) return undefined;
    if (type === ALPN) protocols.push(body);
    if (type !== SERVER_NAME) continue;
    const found = hostNameOf(body);
    if (found === undefined || servername !== null) return undefined;
    servername = found;
  }
  // Two lists are for OpenSSL to refuse.
  const [only] = protocols;
  return { servername, isValidation: protocols.length === 1 && only?.equals(ACME_TLS_ALONE) === true };
}

/** The one host name of the list; undefined where the number of names isn't one, or the name is invalid. */
function hostNameOf(body: Buffer): string | undefined {
  const list = new Reader(body);
  const names = new Reader(list.take(list.uint16()));
  const type = names.uint8();
  const name = names.take(names.uint16());
  if (list.failed || names.failed || !list.atEnd || !names.atEnd || type !== HOST_NAME) return undefined;
  if (name.length === 0 || name.length > LONGEST_NAME || name.includes(0)) return undefined;
  return name.toString('latin1');
}

/** Reads forward; past the end every value is zero and `failed` is set. */
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
