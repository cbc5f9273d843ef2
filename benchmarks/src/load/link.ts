/** The load's end of a connection: bare node:tls that counts bytes and parses nothing. */
import { once } from 'node:events';
import tls, { type TLSSocket } from 'node:tls';
import type { Certificates } from '../certificates.js';
import { clientContext, clientOptions, listenOn, serverOptions } from '../tls-setup.js';
import { KNSOCK_ALPN, usesKnsock, welcome, WELCOME_BYTES, type WireFraming } from '../wire.js';

export interface LinkOptions {
  readonly files: Certificates;
  readonly framing: WireFraming;
}

export class Link {
  readonly socket: TLSSocket;
  readonly framing: WireFraming;
  /** The next request's id, which must grow for as long as the connection lives. */
  nextId = 1;
  /** Told how many bytes came. */
  taken: (length: number) => void = () => undefined;

  private constructor(socket: TLSSocket, framing: WireFraming) {
    this.socket = socket;
    this.framing = framing;
    socket.on('error', (error) => {
      throw new Error(`a ${framing} connection of the load failed`, { cause: error });
    });
  }

  /** Connects, and is admitted. */
  static async connect({ files, framing, port }: LinkOptions & { port: number }): Promise<Link> {
    const holder: { link?: Link } = {};
    const callback = (length: number): boolean => {
      holder.link?.taken(length);
      return true;
    };
    const socket = tls.connect({
      ...clientOptions(port),
      ...clientContext(files, false),
      ...protocolsOf(framing),
      onread: { buffer: Buffer.allocUnsafeSlow(65_536), callback },
      noDelay: true,
    } as tls.ConnectionOptions);
    const link = (holder.link = new Link(socket, framing));
    const welcomed = link.#welcomed();
    await once(socket, 'secureConnect');
    await welcomed;
    if (usesKnsock(framing)) socket.write(welcome());
    return link;
  }

  /** Listens for one client; `accepted` resolves when it is there. */
  static async listen({ files, framing }: LinkOptions): Promise<{ port: number; accepted: Promise<Link> }> {
    const server = tls.createServer({ ...serverOptions(files, false), ...protocolsOf(framing) });
    const accepted = once(server, 'secureConnection').then(async ([socket]) => {
      server.close();
      const link = new Link(socket as TLSSocket, framing);
      link.socket.on('data', (chunk: Buffer) => {
        link.taken(chunk.length);
      });
      if (usesKnsock(framing)) link.socket.write(welcome());
      await link.#welcomed();
      return link;
    });
    return { port: await listenOn(server), accepted };
  }

  #welcomed(): Promise<void> {
    if (!usesKnsock(this.framing)) return Promise.resolve();
    return new Promise((resolve) => {
      let missing = WELCOME_BYTES;
      this.taken = (length) => {
        missing -= length;
        if (missing <= 0) resolve();
      };
    });
  }
}

function protocolsOf(framing: WireFraming): { ALPNProtocols?: string[] } {
  return usesKnsock(framing) ? { ALPNProtocols: [KNSOCK_ALPN] } : {};
}
