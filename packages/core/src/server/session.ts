/** From a finished handshake to a connection that the program may have: verdict, framing, welcome. */
import type { TLSSocket } from 'node:tls';
import { Connection } from '../connection/connection.js';
import type { RequestHandler } from '../connection/secure-connection.js';
import { FramingMismatchError } from '../errors/index.js';
import type { Framing } from '../framing/framing.js';
import { channels } from '../observe/channels.js';
import { raceAbort } from '../transport/race-abort.js';
import { tlsFacts } from '../transport/tls-facts.js';
import type { TlsStream } from '../transport/tls-stream.js';
import { presentedBy } from '../trust/presented.js';
import type { Judge } from '../trust/verdict.js';
import type { Arrival } from './arrival.js';
import type { ListenConfig } from './config.js';
import type { Domain } from './domain.js';

export class Session<In, Out> {
  readonly #config: ListenConfig<In, Out>;
  readonly #requestHandler: RequestHandler<In, Out> | null;
  readonly #judge: Judge;

  constructor(config: ListenConfig<In, Out>, requestHandler: RequestHandler<In, Out> | null, judge: Judge) {
    this.#config = config;
    this.#requestHandler = requestHandler;
    this.#judge = judge;
  }

  /** @throws UntrustedPeerError, PeerNotAllowedError, FramingMismatchError; the arrival's reason when its time is over */
  async open(arrival: Arrival, domain: Domain, stream: TlsStream): Promise<Connection<In, Out>> {
    const { socket } = stream;
    const framing = this.#framingOf(socket);
    const presented = presentedBy(socket, null);
    const verdict = await this.#judge.judge(domain.trust, presented, arrival.signal);
    arrival.signal.throwIfAborted();
    if (channels.verdict.hasSubscribers) {
      channels.verdict.publish({
        role: 'server',
        ok: verdict.ok,
        reason: verdict.ok ? null : verdict.error.reason,
        subject: verdict.peer?.subject ?? null,
        resumed: presented.resumed,
      });
    }
    if (!verdict.ok) throw verdict.error;
    const connection = new Connection<In, Out>(stream, {
      role: 'server',
      framing,
      limits: this.#config.limits,
      maxLifetime: jittered(this.#config.maxLifetime),
      peer: verdict.peer,
      tls: tlsFacts(socket),
      socket,
      proxy: arrival.proxy,
      requestHandler: this.#requestHandler,
      explainEnd: null,
    });
    await raceAbort(connection.open(), arrival.signal);
    return connection;
  }

  #framingOf({ alpnProtocol }: TLSSocket): Framing<In, Out> {
    const { framings } = this.#config;
    const agreed = alpnProtocol || undefined;
    const framing =
      framings.find(({ alpn }) => alpn === agreed) ?? framings.find(({ alpn }) => alpn === undefined);
    if (framing !== undefined) return framing;
    const spoken = framings.map(({ name }) => name).join(', ');
    throw new FramingMismatchError(`the client named no protocol by ALPN; spoken here: ${spoken}`);
  }
}

/** Give or take a tenth, so that clients that came together don't come back together. */
function jittered(lifetime: number | null): number | null {
  return lifetime === null ? null : Math.round(lifetime * (0.9 + Math.random() * 0.2));
}
