/** Servers and pools of one test, all ended with it. */
import {
  createCredentials,
  serve,
  type Credentials,
  type ListenOptions,
  type Payload,
  type RequestHandler,
  type SecureServer,
} from '@knsock/core';
import { ConnectionPool, type ConnectionPoolOptions } from '@knsock/pool';
import { createWorld, portOf, type World } from '../support/world.js';

type Handler = RequestHandler<Buffer, Payload>;

export class Stage implements AsyncDisposable {
  readonly world: World;
  readonly #open: AsyncDisposable[] = [];

  private constructor(world: World) {
    this.world = world;
  }

  static async build(): Promise<Stage> {
    return new Stage(await createWorld());
  }

  keep<T extends AsyncDisposable>(thing: T): T {
    this.#open.push(thing);
    return thing;
  }

  /** A server on a free port of 127.0.0.1; an echo by default. */
  async serve(
    handler: Handler = ({ payload }) => payload,
    options: Partial<ListenOptions> = {},
  ): Promise<SecureServer> {
    const common = { port: 0, host: '127.0.0.1', credentials: this.world.server };
    const server = await serve({ ...common, ...options }, handler);
    this.keep({ [Symbol.asyncDispose]: () => server.close({ deadline: 200 }) });
    return server;
  }

  /** Credentials of a client by that common name. */
  async clientNamed(commonName: string): Promise<Credentials> {
    const { authority } = this.world;
    const names = ['app.example'];
    const { chain, key } = await authority.issue({ kind: 'client', names, commonName, days: 1 });
    return createCredentials({ cert: chain, key, ca: authority.root });
  }

  pool(servers: SecureServer[], options: Partial<ConnectionPoolOptions> = {}): ConnectionPool {
    const endpoints = servers.map((server) => ({ host: '127.0.0.1', port: portOf(server) }));
    return this.keep(new ConnectionPool({ endpoints, credentials: this.world.client, ...options }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const thing of this.#open.splice(0).reverse()) await thing[Symbol.asyncDispose]();
  }
}
