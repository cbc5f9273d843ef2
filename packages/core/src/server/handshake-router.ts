/**
 * From an admitted socket to the context that takes it: the header of a trusted proxy, what the protocol above says before TLS,
 * the ClientHello, and the virtual host or the challenge that its name selects.
 */
import { asError } from '../errors/as-error.js';
import { HandshakeError } from '../errors/index.js';
import {
  endWithAlert,
  readPreface,
  UNRECOGNIZED_NAME,
  type HelloReading,
  type Preface,
} from '../transport/preface.js';
import { speakBeforeTls } from './before-tls.js';
import type { HostConfig } from './config.js';
import type { PendingConnection, PendingConnections } from './pending-connection.js';
import type { Validations } from './validations.js';
import type { VirtualHosts } from './virtual-hosts.js';

export class HandshakeRouter {
  readonly #config: Pick<HostConfig, 'beforeTls'>;
  readonly #hosts: () => VirtualHosts;
  readonly #connections: PendingConnections;
  readonly #validations: Validations;

  constructor(
    config: Pick<HostConfig, 'beforeTls'>,
    hosts: () => VirtualHosts,
    connections: PendingConnections,
    validations: Validations,
  ) {
    this.#config = config;
    this.#hosts = hosts;
    this.#connections = connections;
    this.#validations = validations;
  }

  /** @param proxy whether a trusted proxy connected, so that its header comes first */
  route(pending: PendingConnection, proxy: boolean): void {
    if (this.#config.beforeTls === null) this.#beginTls(pending, proxy);
    else if (proxy) this.#read(pending, { proxy, hello: 'none' }, () => void this.#speakFirst(pending));
    else void this.#speakFirst(pending);
  }

  /** Runs the hook of the protocol above before TLS. */
  async #speakFirst(pending: PendingConnection): Promise<void> {
    const { socket } = pending;
    try {
      await speakBeforeTls(this.#config.beforeTls, pending);
    } catch (error) {
      this.#connections.fail(pending, asError(error));
      socket.destroySoon();
      return;
    }
    pending.saidBeforeTls = socket.bytesWritten;
    if (this.#connections.find(socket) === pending) this.#beginTls(pending, false);
  }

  #beginTls(pending: PendingConnection, proxy: boolean): void {
    const { hello } = this.#hosts();
    if (!proxy && hello === 'none') {
      this.#hosts().fallback.take(pending.socket);
      return;
    }
    this.#read(pending, { proxy, hello }, (preface) => {
      const hosts = this.#hosts();
      if (preface.isValidation && this.#validations.take(pending, preface.servername, hosts)) return;
      if (hello === 'required') this.#enterHost(pending, preface.servername);
      else hosts.fallback.take(pending.socket);
    });
  }

  #read(
    pending: PendingConnection,
    wanted: { proxy: boolean; hello: HelloReading },
    done: (preface: Preface) => void,
  ): void {
    readPreface(pending.socket, wanted, {
      proxied: (info, length) => {
        pending.proxy = info;
        pending.headerBytes = length;
        return this.#connections.admitProxied(pending);
      },
      done,
      failed: (error, alert) => {
        this.#connections.broken(pending, error);
        if (alert === null) pending.socket.destroy();
        else endWithAlert(pending.socket, alert);
      },
    });
  }

  #enterHost(pending: PendingConnection, servername: string | null): void {
    const route = this.#hosts().route(servername);
    if (route !== 'refuse') {
      pending.routedBy = { servername };
      route.take(pending.socket);
      return;
    }
    const words = `${pending.address} asked for ${JSON.stringify(servername)}, which is none of ours`;
    this.#connections.fail(pending, new HandshakeError('unknown-name', words));
    endWithAlert(pending.socket, UNRECOGNIZED_NAME);
  }
}
