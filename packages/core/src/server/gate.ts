/**
 * From accept to TLS: admission, the header of a trusted proxy, the name asked for, and the domain that takes the
 * socket. Whoever is let in or turned away leaves here.
 */
import type { Socket } from 'node:net';
import { asError } from '../errors/as-error.js';
import { ConnectionTimeoutError, HandshakeError, ServerDrainingError } from '../errors/index.js';
import { channels } from '../observe/channels.js';
import { unmapped } from '../transport/network.js';
import { endWithAlert, readPreface, UNRECOGNIZED_NAME } from '../transport/preface.js';
import { Admission, type AdmissionRefusal } from './admission.js';
import { Arrival } from './arrival.js';
import { SilenceWatch } from './silence-watch.js';
import type { HostConfig } from './config.js';
import type { Domains } from './domains.js';
import type { HandshakeFailures } from './handshake-failures.js';

export class Gate {
  /** Sockets accepted so far. */
  accepted = 0;
  /** Handshakes that failed, ran out of time or were broken off. */
  failed = 0;
  readonly #config: HostConfig;
  readonly #domains: () => Domains;
  readonly #failures: HandshakeFailures;
  readonly #admission: Admission;
  readonly #arrivals = new Map<Socket, Arrival>();
  readonly #silence = new SilenceWatch();
  /** One listener for all sockets: most of them close long after they were let in. */
  readonly #forget = forgetting(this);
  #closed = false;

  constructor(config: HostConfig, domains: () => Domains, failures: HandshakeFailures) {
    this.#config = config;
    this.#domains = domains;
    this.#failures = failures;
    this.#admission = new Admission(config.admission);
  }

  /** Sockets on their way to a verdict. */
  get pending(): number {
    return this.#arrivals.size;
  }

  get turnedAway(): Readonly<Record<AdmissionRefusal, number>> {
    return this.#admission.refused;
  }

  /** @param descriptorsLeft whether the process has descriptors beside this socket's */
  accept(socket: Socket, descriptorsLeft: boolean): void {
    this.accepted += 1;
    // Resets between accept and verdict have nobody else to tell; the handshake's failure is told elsewhere.
    socket.on('error', ignore);
    if (socket.remoteAddress === undefined && 'port' in this.#config.place) {
      // Cut off before it was accepted. Without an address nobody could be judged.
      socket.destroy();
      return;
    }
    const behindProxy = this.#config.proxies?.has(socket.remoteAddress ?? '') === true;
    const refusal = this.#judge(socket, behindProxy, descriptorsLeft);
    if (refusal !== null) this.#turnAway(socket, refusal, socket.remoteAddress ?? 'a local peer');
    else this.#begin(socket, behindProxy);
  }

  /** The arrival of a socket; undefined where it has left. */
  find(socket: Socket): Arrival | undefined {
    return this.#arrivals.get(socket);
  }

  /** Ends an arrival, once. @returns whether it was still under way */
  leave(arrival: Arrival, reason: Error | null): boolean {
    if (!this.#arrivals.delete(arrival.socket)) return false;
    arrival.settle(reason);
    return true;
  }

  /** An arrival came to nothing before anybody could be judged. */
  fail(arrival: Arrival, error: Error): void {
    if (!this.leave(arrival, error)) return;
    this.failed += 1;
    this.#failures.publish(arrival.address, error);
  }

  /** A handshake broke off. Who sent nothing had begun none: a health check, a port scan. */
  broken(arrival: Arrival, error: Error): void {
    if (arrival.socket.bytesRead > arrival.headerBytes) this.fail(arrival, error);
    else this.leave(arrival, error);
  }

  /** The socket is gone. */
  forget(socket: Socket): void {
    this.#admission.leave();
    // Most were let in long ago, and an error nobody hears of costs a stack trace.
    const arrival = this.#arrivals.get(socket);
    if (arrival === undefined) return;
    const words = `${arrival.address} went away during the handshake`;
    this.broken(arrival, new HandshakeError('disconnected', words));
  }

  /** Lets nobody in any more; those who haven't spoken go at once. */
  close(): void {
    this.#closed = true;
    this.#silence.stop();
    for (const { hasSpoken, socket } of [...this.#arrivals.values()]) if (!hasSpoken) socket.destroy();
  }

  /** Waits no longer for handshakes to be done. */
  giveUp(): void {
    for (const { secured, socket } of [...this.#arrivals.values()]) if (!secured) socket.destroy();
  }

  destroy(): void {
    for (const { socket } of [...this.#arrivals.values()]) socket.destroy();
  }

  /** What can be judged before a byte was read; null admits. */
  #judge(socket: Socket, behindProxy: boolean, descriptorsLeft: boolean): AdmissionRefusal | null {
    if (this.#closed) return 'closing';
    const refusal = behindProxy ? null : this.#admission.judgeClient(socket.remoteAddress, performance.now());
    if (refusal !== null) return refusal;
    if (!descriptorsLeft && !this.#makeRoom('descriptors')) return 'descriptors';
    if (this.#admission.full && !this.#makeRoom('connections')) return 'connections';
    const crowded = this.#arrivals.size >= this.#config.admission.maxPendingHandshakes;
    return crowded && !this.#makeRoom('handshakes') ? 'handshakes' : null;
  }

  #begin(socket: Socket, behindProxy: boolean): void {
    const arrival = new Arrival(socket, this.#config.limits.handshakeTimeout, (late) => {
      this.#tooLate(late);
    });
    this.#admission.enter();
    socket.on('close', this.#forget);
    this.#arrivals.set(socket, arrival);
    // By the time that there is no place left it is known who wastes one.
    if (2 * this.#arrivals.size > this.#config.admission.maxPendingHandshakes) this.#lookForSilence();

    if (!behindProxy) this.#enterClient(arrival);
    this.#route(arrival, behindProxy);
  }

  /** Judges the client that a proxy told of. */
  #admitProxied(arrival: Arrival): boolean {
    const refusal = this.#admission.judgeClient(arrival.remote?.address, performance.now());
    if (refusal === null) this.#enterClient(arrival);
    else {
      this.leave(arrival, new ServerDrainingError('turned away'));
      this.#turnAway(arrival.socket, refusal, arrival.address);
    }
    return refusal === null;
  }

  #enterClient(arrival: Arrival): void {
    if (!this.#admission.countsClients) return;
    const address = arrival.remote?.address;
    this.#admission.enterClient(address);
    arrival.socket.once('close', () => {
      this.#admission.leaveClient(address);
    });
  }

  #route(arrival: Arrival, proxy: boolean): void {
    if (this.#config.beforeTls === null) this.#beginTls(arrival, proxy);
    else if (proxy) this.#readPreface(arrival, { proxy, name: false }, () => void this.#speakFirst(arrival));
    else void this.#speakFirst(arrival);
  }

  /** Lets the protocol above say what it has to say before TLS. */
  async #speakFirst(arrival: Arrival): Promise<void> {
    const { socket, signal } = arrival;
    try {
      await this.#config.beforeTls?.(socket, { signal });
    } catch (error) {
      this.fail(arrival, asError(error));
      socket.destroySoon();
      return;
    }
    arrival.saidBeforeTls = socket.bytesWritten;
    if (this.find(socket) === arrival) this.#beginTls(arrival, false);
  }

  #beginTls(arrival: Arrival, proxy: boolean): void {
    const name = this.#domains().needsName;
    if (!proxy && !name) {
      this.#domains().fallback.take(arrival.socket);
      return;
    }
    this.#readPreface(arrival, { proxy, name }, (servername) => {
      if (name) this.#enterDomain(arrival, servername);
      else this.#domains().fallback.take(arrival.socket);
    });
  }

  #readPreface(
    arrival: Arrival,
    wanted: { proxy: boolean; name: boolean },
    done: (servername: string | null) => void,
  ): void {
    readPreface(arrival.socket, wanted, {
      proxied: (info, length) => {
        arrival.proxy = info;
        arrival.headerBytes = length;
        return this.#admitProxied(arrival);
      },
      done: ({ servername }) => {
        done(servername);
      },
      failed: (error, alert) => {
        this.broken(arrival, error);
        if (alert === null) arrival.socket.destroy();
        else endWithAlert(arrival.socket, alert);
      },
    });
  }

  #enterDomain(arrival: Arrival, servername: string | null): void {
    const route = this.#domains().route(servername);
    if (route !== 'refuse') {
      arrival.routedBy = { servername };
      route.take(arrival.socket);
      return;
    }
    const words = `${arrival.address} asked for ${JSON.stringify(servername)}, which is none of ours`;
    this.fail(arrival, new HandshakeError('unknown-name', words));
    endWithAlert(arrival.socket, UNRECOGNIZED_NAME);
  }

  /**
   * Sockets that say nothing must not keep out those that do: the one silent for longest goes, or else the first that
   * fell silent in its handshake.
   */
  #makeRoom(limit: AdmissionRefusal): boolean {
    const arrival =
      this.#first(({ hasSpoken }) => !hasSpoken) ?? this.#first(({ hasFallenSilent }) => hasFallenSilent);
    if (arrival === undefined) {
      this.#lookForSilence();
      return false;
    }
    this.leave(arrival, new ServerDrainingError('too many silent sockets'));
    this.#turnAway(arrival.socket, limit, arrival.address);
    return true;
  }

  #first(is: (arrival: Arrival) => boolean): Arrival | undefined {
    for (const arrival of this.#arrivals.values()) if (is(arrival)) return arrival;
    return undefined;
  }

  #lookForSilence(): void {
    this.#silence.look(this.#arrivals.values());
  }

  #turnAway(socket: Socket, limit: AdmissionRefusal, address: string): void {
    this.#admission.refuse(limit);
    socket.destroy();
    if (channels.admission.hasSubscribers) channels.admission.publish({ address: unmapped(address), limit });
  }

  #tooLate(arrival: Arrival): void {
    const { handshakeTimeout } = this.#config.limits;
    if (arrival.judging) {
      // The peer did its part and can be told; whoever waits for the verdict refuses it.
      const words = `the verdict on ${arrival.address} took over ${handshakeTimeout} ms`;
      arrival.settle(new ConnectionTimeoutError('verdict', handshakeTimeout, words));
      return;
    }
    const words = `${arrival.address} didn’t finish its handshake within ${handshakeTimeout} ms`;
    this.fail(arrival, new ConnectionTimeoutError('handshake', handshakeTimeout, words));
    arrival.socket.destroy();
  }
}

function forgetting(gate: Gate): (this: Socket) => void {
  return function (this: Socket) {
    gate.forget(this);
  };
}

function ignore(): void {
  // The close that follows says enough.
}
