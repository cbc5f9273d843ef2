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
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const INCOMPLETE: ClientHello = { status: 'incomplete' };
const OTHER: ClientHello = { status: 'other' };

/** Reads the beginning of a connection. */
export function readClientHello(bytes: Buffer): ClientHello {
  const message = handshakeMessage(bytes);
  if (message === 'incomplete') return INCOMPLETE;
  if (message === 'other') return OTHER;
  const servername = serverNameOf(message);
  return servername === undefined ? OTHER : { status: 'complete', servername };
}

/** The first handshake message, which may be spread over several records. */
function handshakeMessage(bytes: Buffer): Buffer | 'incomplete' | 'other' {
  const parts: Buffer[] = [];
  let gathered = 0;
  let at = 0;
  for (;;) {
    if (bytes.length > at && bytes[at] !== HANDSHAKE_RECORD) return 'other';
    if (bytes.length < at + 5) return 'incomplete';
    const length = bytes.readUInt16BE(at + 3);
    if (bytes[at + 1] !== 3 || length === 0 || length > 16_640) return 'other';
    const part = bytes.subarray(at + 5, at + 5 + length);
    parts.push(part);
    gathered += part.length;
    const head = parts.length === 1 ? part : Buffer.concat(parts);
    if (gathered > 0 && head[0] !== CLIENT_HELLO) return 'other';
    if (gathered >= 4) {
      const needed = 4 + head.readUIntBE(1, 3);
      if (needed > MAX_CLIENT_HELLO) return 'other';
      if (gathered >= needed) return head.subarray(4, needed);
    }
    if (part.length < length) return 'incomplete';
    at += 5 + length;
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
