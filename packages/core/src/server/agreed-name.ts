/** Whether the name that OpenSSL agreed on is the one that chose the virtual host. */
import { HandshakeError } from '../errors/index.js';
import type { TlsInfo } from '../transport/tls-facts.js';

/**
 * The name that chose the virtual host, which is the one that counts. A client that must send a second ClientHello might
 * name another in it, and OpenSSL may have seen what our reader overlooked.
 * @param routed the name read before TLS began; null where there was none
 * @param address for the error
 * @throws HandshakeError where the handshake used another name
 */
export function agreedName(
  routed: string | null,
  { servername, resumed, version }: Pick<TlsInfo, 'servername' | 'resumed' | 'version'>,
  address: string,
): string | null {
  if (isSameName(routed, servername)) return routed;
  // Node reports no name of a resumed TLS 1.2 connection. The session began with the same virtual host: no other has its keys.
  if (servername === null && resumed && version === 'TLSv1.2') return routed;
  const words = `${address} asked for ${show(routed)} before TLS began and for ${show(servername)} in the handshake`;
  throw new HandshakeError('client-hello', words);
}

/** Names are bytes in TLS; our reader decodes them as Latin-1, Node perhaps as UTF-8. */
function isSameName(routed: string | null, told: string | null): boolean {
  if (routed === null || told === null) return routed === told;
  const ours = lower(routed);
  return ours === lower(told) || ours === lower(Buffer.from(told, 'utf8').toString('latin1'));
}

/** ASCII only: other letters have no case in a name. */
function lower(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function show(name: string | null): string {
  return name === null ? 'no name' : JSON.stringify(name);
}
