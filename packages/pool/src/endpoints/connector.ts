import { EasySocketError, type ConnectOptions, type Payload, type SecureConnection } from '@knsock/core';
import { turns } from './balance.js';
import type { Clock } from '../clock.js';
import { targetOf, type Endpoint } from './endpoint.js';
import { Overtaken, stagger } from './stagger.js';

/** If an endpoint takes longer than this, the next one is tried concurrently. */
const PATIENCE = 500;

/** Dependencies of connecting, beside the endpoint. */
export interface ConnectorSettings<In, Out> {
  readonly endpoints: readonly Endpoint[];
  readonly options: ConnectOptions<In, Out>;
  /** Opens one connection. */
  readonly connect: (options: ConnectOptions<In, Out>) => Promise<SecureConnection<In, Out>>;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Opens connections to the endpoint whose turn it is, and records the outcome. */
export class Connector<In = Buffer, Out = Payload> {
  readonly #settings: ConnectorSettings<In, Out>;
  readonly #endpointOf = new WeakMap<SecureConnection<In, Out>, Endpoint>();

  constructor(settings: ConnectorSettings<In, Out>) {
    this.#settings = settings;
  }

  /** The endpoint that a connection of this connector leads to. */
  endpointOf(connection: SecureConnection<In, Out>): Endpoint {
    return this.#endpointOf.get(connection) as Endpoint;
  }

  /** Rejects only when every endpoint has failed: with a transient failure if there is one, else the last. */
  connect(signal: AbortSignal): Promise<SecureConnection<In, Out>> {
    const { endpoints, clock, random } = this.#settings;
    const failures: unknown[] = [];
    const connecting = stagger(clock, {
      starts: turns(endpoints, clock.now(), random).map(
        (endpoint) => (given: AbortSignal) =>
          this.#open(endpoint, given).catch((error: unknown) => {
            failures.push(error);
            throw error;
          }),
      ),
      delay: PATIENCE,
      signal,
      discard: (late) => {
        late.destroy();
      },
    });
    return connecting.catch((error: unknown) => {
      throw signal.aborted ? error : (failures.find(isPassing) ?? error);
    });
  }

  async #open(endpoint: Endpoint, signal: AbortSignal): Promise<SecureConnection<In, Out>> {
    const { options, connect, clock } = this.#settings;
    endpoint.called = false;
    endpoint.connecting += 1;
    try {
      const connection = await connect({ ...options, ...targetOf(endpoint.address), signal });
      endpoint.answered(clock.now());
      this.#keep(endpoint, connection);
      return connection;
    } catch (error) {
      learn(endpoint, error, signal);
      throw error;
    } finally {
      endpoint.connecting -= 1;
    }
  }

  #keep(endpoint: Endpoint, connection: SecureConnection<In, Out>): void {
    this.#endpointOf.set(connection, endpoint);
    endpoint.open += 1;
    void connection.closed.then(() => {
      endpoint.open -= 1;
      // Its lease may have been dropped without a release.
      endpoint.lent.delete(connection.id);
    });
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof EasySocketError && error.retryable;
}

// An abandoned attempt says nothing about the endpoint, unless a later one overtook it.
function learn(endpoint: Endpoint, error: unknown, signal: AbortSignal): void {
  if (!signal.aborted) endpoint.recordFailure('unreachable', error);
  else if (signal.reason instanceof Overtaken && signal.reason.slow) endpoint.recordFailure('slow', error);
}
