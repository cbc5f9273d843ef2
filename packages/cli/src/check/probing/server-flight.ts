/** A server's answer to a ClientHello, up to where encryption begins (RFC 8446 4.1.3, RFC 5246 7.4). */
import { extension } from './client-hello.js';

/** Its choices. */
export interface ServerHello {
  readonly kind: 'hello';
  readonly version: number;
  readonly suite: number;
  readonly compression: number;
  readonly extensions: ReadonlySet<number>;
  /** TLS 1.3: it asks for a second ClientHello, with a key of `group`. */
  readonly retry: boolean;
  /** The group of the key exchange; null if there is none, or it is encrypted. */
  readonly group: number | null;
  /** Bits of the prime of a finite-field key exchange. */
  readonly dhBits: number | null;
  /** Whether it asks for a client certificate; always false under TLS 1.3, which encrypts that. */
  readonly asksForCertificate: boolean;
}

export type Answer =
  | ServerHello
  | { readonly kind: 'alert'; readonly description: number }
  | { readonly kind: 'sslv2' }
  /** Anything but TLS. */
  | { readonly kind: 'other' };

type Draft = { -readonly [Key in keyof ServerHello]: ServerHello[Key] };

const ALERT = 21;
const HANDSHAKE = 22;
const message = {
  serverHello: 2,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
} as const;
const TLS13 = 0x0304;
/** A ServerHello with this random is a HelloRetryRequest. */
const RETRY = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

/** Parses the bytes so far; null while more are needed. `ended`: no more will come. */
export function readFlight(bytes: Buffer, ended: boolean): Answer | null {
  try {
    return read(bytes, ended);
  } catch (error) {
    // A length beyond the end: no TLS library writes that.
    if (error instanceof RangeError) return { kind: 'other' };
    throw error;
  }
}

function read(bytes: Buffer, ended: boolean): Answer | null {
  if (isSslv2(bytes)) return { kind: 'sslv2' };
  const { messages, alert, other } = split(bytes);
  if (other) return { kind: 'other' };
  const hello = readMessages(messages);
  if (hello !== null && (hello.done || ended || alert !== null)) return hello.draft;
  if (hello === null && alert !== null) return { kind: 'alert', description: alert };
  return null;
}

function isSslv2(bytes: Buffer): boolean {
  return bytes.length > 2 && ((bytes[0] as number) & 0x80) !== 0 && bytes[2] === 4;
}

/** The handshake's bytes without their records. */
function split(bytes: Buffer): { messages: Buffer; alert: number | null; other: boolean } {
  const parts: Buffer[] = [];
  let at = 0;
  while (bytes.length >= at + 5) {
    const [type, length] = [bytes[at], bytes.readUInt16BE(at + 3)];
    if (type !== ALERT && type !== HANDSHAKE)
      return { messages: Buffer.concat(parts), alert: null, other: parts.length === 0 };
    if (bytes.length < at + 5 + length) break;
    const body = bytes.subarray(at + 5, at + 5 + length);
    // A warning, such as one about the name, doesn't end it.
    if (type === ALERT && body[0] === 2)
      return { messages: Buffer.concat(parts), alert: body[1] ?? 0, other: false };
    if (type === HANDSHAKE) parts.push(body);
    at += 5 + length;
  }
  const strange = at === 0 && bytes.length > 0 && bytes[0] !== ALERT && bytes[0] !== HANDSHAKE;
  return { messages: Buffer.concat(parts), alert: null, other: strange };
}

function readMessages(bytes: Buffer): { draft: ServerHello; done: boolean } | null {
  let draft: Draft | null = null;
  let done = false;
  for (let at = 0; bytes.length >= at + 4;) {
    const [type, length] = [bytes[at], bytes.readUIntBE(at + 1, 3)];
    const body = bytes.subarray(at + 4, at + 4 + length);
    if (body.length < length) break;
    if (type === message.serverHello) draft = readHello(body);
    else if (draft !== null && type === message.serverKeyExchange) readKeyExchange(draft, body);
    else if (draft !== null && type === message.certificateRequest) draft.asksForCertificate = true;
    done ||= type === message.serverHelloDone || draft?.version === TLS13;
    at += 4 + length;
  }
  return draft === null ? null : { draft, done };
}

function readHello(body: Buffer): Draft {
  const session = body[34] ?? 0;
  const at = 35 + session;
  const draft: Draft = {
    kind: 'hello',
    version: body.readUInt16BE(0),
    suite: body.readUInt16BE(at),
    compression: body[at + 2] ?? 0,
    extensions: new Set(),
    retry: body.subarray(2, 34).equals(RETRY),
    group: null,
    dhBits: null,
    asksForCertificate: false,
  };
  const extensions = readExtensions(body.subarray(at + 5));
  draft.extensions = new Set(extensions.keys());
  const version = extensions.get(extension.supportedVersions);
  if (version?.length === 2) draft.version = version.readUInt16BE(0);
  const share = extensions.get(extension.keyShare);
  if (share !== undefined && share.length >= 2) draft.group = share.readUInt16BE(0);
  return draft;
}

function readExtensions(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; bytes.length >= at + 4;) {
    const length = bytes.readUInt16BE(at + 2);
    found.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

const NAMED_CURVE = 3;

/** The kind of key isn't given: a curve's begins with its type, a prime's with its length. */
function readKeyExchange(draft: Draft, body: Buffer): void {
  if (body.length < 4) return;
  if (body[0] === NAMED_CURVE) {
    draft.group = body.readUInt16BE(1);
    return;
  }
  const prime = body.subarray(2, 2 + body.readUInt16BE(0));
  const first = prime.findIndex((byte) => byte !== 0);
  if (first >= 0) draft.dhBits = (prime.length - first) * 8 - Math.clz32(prime[first] ?? 0) + 24;
}
