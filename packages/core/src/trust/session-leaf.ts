/**
 * The peer's certificate in a TLS session as OpenSSL encodes it (ssl/ssl_asn1.c). Reading it costs a fraction of
 * Node's own readers, which decode the whole certificate or its key.
 */

const SEQUENCE = 0x30;
/** `peer [3] EXPLICIT X509 OPTIONAL` */
const PEER = 0xa3;

/**
 * A copy of the certificate's DER; null where the session holds none, or isn't in OpenSSL's layout. The session
 * holds the connection's secrets, so its bytes are erased.
 */
export function takeLeaf(session: Buffer): Buffer | null {
  try {
    return copyLeaf(session);
  } finally {
    session.fill(0);
  }
}

function copyLeaf(session: Buffer): Buffer | null {
  const whole = elementAt(session, 0, session.length);
  if (whole?.tag !== SEQUENCE || whole.end !== session.length) return null;
  for (let at = whole.start; at < whole.end;) {
    const field = elementAt(session, at, whole.end);
    if (field === null) return null;
    if (field.tag === PEER) return certificateIn(session, field);
    at = field.end;
  }
  return null;
}

interface Element {
  readonly tag: number;
  /** The start and the end of its content. */
  readonly start: number;
  readonly end: number;
}

function certificateIn(session: Buffer, { start, end }: Element): Buffer | null {
  const certificate = elementAt(session, start, end);
  if (certificate?.tag !== SEQUENCE || certificate.end !== end) return null;
  const copy = Buffer.allocUnsafeSlow(end - start);
  session.copy(copy, 0, start, end);
  return copy;
}

/** The element (X.690 8.1) at an offset; null where it extends beyond `limit`. */
function elementAt(bytes: Buffer, at: number, limit: number): Element | null {
  if (at + 2 > limit) return null;
  const tag = bytes[at] as number;
  const first = bytes[at + 1] as number;
  const octets = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + octets;
  // Sessions are far below 2^24 bytes; 0x80 is the indefinite length, which DER doesn't have.
  if (first === 0x80 || octets > 3 || start > limit) return null;
  const length = octets === 0 ? first : bytes.readUIntBE(at + 2, octets);
  return start + length > limit ? null : { tag, start, end: start + length };
}
