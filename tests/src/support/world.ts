/** A small world for scenarios: an authority, a server, two clients, made on the spot by @knsock/certs. */
import { createAuthority, type Authority } from '@knsock/certs';
import { createCredentials, type Credentials } from '@knsock/core';

export interface World {
  readonly authority: Authority;
  /** For `localhost`, `127.0.0.1` and `::1`; trusts the authority's clients. */
  readonly server: Credentials;
  /** Common name `app`, organisational unit `engineering`. */
  readonly client: Credentials;
  /** Trusts the authority and shows nothing. */
  readonly anonymous: Credentials;
}

export async function createWorld(commonName = 'Test CA'): Promise<World> {
  const authority = await createAuthority({ commonName, days: 30 });
  const server = await authority.issue({ kind: 'server', names: ['localhost', '127.0.0.1', '::1'], days: 7 });
  const client = await authority.issue({
    kind: 'client',
    names: ['app.example'],
    commonName: 'app',
    organizationalUnit: 'engineering',
    days: 7,
  });
  const ca = authority.root;
  return {
    authority,
    server: createCredentials({ cert: server.chain, key: server.key, ca }),
    client: createCredentials({ cert: client.chain, key: client.key, ca }),
    anonymous: createCredentials({ ca }),
  };
}

/** The port of a server that listens on TCP. */
export function portOf(server: { address: { port: number } | { path: string } }): number {
  if (!('port' in server.address)) throw new Error('the server listens on a path');
  return server.address.port;
}
