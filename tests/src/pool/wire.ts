/** A wire between a pool and a server that tests can cut, freeze and slow down: real sockets, real bytes. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class Wire implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #held: Socket[] = [];
  #frozen = false;
  /** Milliseconds before a connection is answered. */
  acceptDelay = 0;
  /** Connections taken so far. */
  accepted = 0;

  private constructor(target: number) {
    this.#server = createServer({ pauseOnConnect: true }, (socket) => {
      this.accepted += 1;
      this.#track(socket);
      if (this.#frozen) this.#held.push(socket);
      else setTimeout(() => this.#join(socket, target), this.acceptDelay);
    });
  }

  /** A wire to that port. */
  static async to(target: number): Promise<Wire> {
    const wire = new Wire(target);
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on nothing passes, without any notice: neither on existing connections nor on new ones. */
  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  /** Ends every connection with a reset. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket, target: number): void {
    const far = connect(target, '127.0.0.1');
    this.#track(far);
    near.pipe(far);
    far.pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    if (this.#frozen) near.unpipe().pause();
    else near.resume();
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
