/** Our server in the attacks: it sends which client it admitted, and ends. */
import { lines, listen, type ListenOptions, type SecureServer } from '@knsock/core';
import type { Version } from '../../support/raw-tls.js';

/** On a framing that bare clients support; a refused client receives nothing. */
export function ourServer(
  version: Version,
  options: Omit<ListenOptions, 'port' | 'framing' | 'profile'>,
): Promise<SecureServer> {
  const profile = { minVersion: version, maxVersion: version };
  return listen({ host: '127.0.0.1', port: 0, framing: lines(), profile, ...options }, (connection) => {
    const who = connection.peer?.commonNames[0] ?? 'nobody';
    connection.write(`admitted ${who}${connection.tls.resumed ? ', resumed' : ''}`);
    void connection.close();
  });
}
