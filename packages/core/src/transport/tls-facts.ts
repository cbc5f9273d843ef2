import type { TLSSocket } from 'node:tls';

/** What was negotiated on a TLS connection. */
export interface TlsFacts {
  /** `'TLSv1.2'` or `'TLSv1.3'`. */
  readonly version: string;
  /** The cipher suite in the standard's name. */
  readonly cipher: string;
  /** The key-exchange group; null on a resumed connection and where the runtime doesn't report it. */
  readonly group: string | null;
  /** Whether a session ticket replaced the certificates; they were verified again nevertheless. */
  readonly resumed: boolean;
  /** The ALPN protocol agreed on. */
  readonly alpn: string | null;
  /** The name that the client asked for by SNI. */
  readonly servername: string | null;
}

export function tlsFacts(socket: TLSSocket): TlsFacts {
  const cipher = socket.getCipher() as { name: string; standardName?: string } | undefined;
  return {
    version: once(socket.getProtocol() ?? 'unknown'),
    cipher: once(cipher?.standardName ?? cipher?.name ?? 'unknown'),
    group: groupOf(socket),
    resumed: socket.isSessionReused(),
    alpn: socket.alpnProtocol || null,
    servername: servernameOf(socket),
  };
}

/** Node spells the same few words anew for each connection; of those that are kept one will do. */
function once(word: string): string {
  const known = words.get(word);
  if (known === undefined) words.set(word, word);
  return known ?? word;
}
/** Bounded by what OpenSSL knows. */
const words = new Map<string, string>();

/** The name that the client asked for; Node tells a client's own name elsewhere than a server's. */
function servernameOf(socket: TLSSocket): string | null {
  const name = (socket as { servername?: string | false | null }).servername;
  return typeof name === 'string' && name !== '' ? name : null;
}

function groupOf(socket: TLSSocket): string | null {
  const info = socket.getEphemeralKeyInfo() as { name?: string } | null;
  return info?.name ?? null;
}
