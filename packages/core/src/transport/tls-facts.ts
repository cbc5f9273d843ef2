import type { TLSSocket } from 'node:tls';

/** What was negotiated on a TLS connection. */
export interface TlsInfo {
  /** `'TLSv1.2'` or `'TLSv1.3'`. */
  readonly version: string;
  /** The cipher suite by its standard name. */
  readonly cipher: string;
  /** The key-exchange group; null on a resumed connection and where the runtime doesn't report it. */
  readonly group: string | null;
  /** Whether a session was resumed without certificates; they were verified again nevertheless. */
  readonly resumed: boolean;
  /** The ALPN protocol agreed on. */
  readonly alpn: string | null;
  /** The name that the client requested by SNI. */
  readonly servername: string | null;
}

export function tlsFacts(socket: TLSSocket): TlsInfo {
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

/** Node creates the same few strings for each connection; only one copy of each is kept. */
function once(word: string): string {
  const known = words.get(word);
  if (known === undefined) words.set(word, word);
  return known ?? word;
}
/** Bounded by the names that OpenSSL has. */
const words = new Map<string, string>();

/** The requested name; Node reports it in different places on clients and servers. */
function servernameOf(socket: TLSSocket): string | null {
  const name = (socket as { servername?: string | false | null }).servername;
  return typeof name === 'string' && name !== '' ? name : null;
}

function groupOf(socket: TLSSocket): string | null {
  const info = socket.getEphemeralKeyInfo() as { name?: string } | null;
  return info?.name ?? null;
}
