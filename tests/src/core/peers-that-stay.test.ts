/** A client that never ends its own direction: how long it keeps its place after the server's end. */
import { once } from 'node:events';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import {
  knsock,
  lengthPrefixed,
  lines,
  listen,
  raw,
  type Framing,
  type SecureConnection,
} from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { welcome } from '../support/hand-made-peer.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** What the peer has for its own end, a second for a stream that is written no more, and what a busy machine takes. */
const MOST = 5_000 + 1_000 + 4_000;

const close = (connection: SecureConnection): void => void connection.close();
const framings: [string, Framing, (connection: SecureConnection) => void][] = [
  ['knsock', knsock(), close],
  ['lines', lines(), close],
  ['length-prefixed', lengthPrefixed(), close],
  ['raw', raw(), close],
  [
    'a stream that it has ended',
    raw(),
    (connection) => {
      connection
        .stream()
        .on('error', () => undefined)
        .resume()
        .end('all of it');
      close(connection);
    },
  ],
  [
    'a stream that it has left open',
    raw(),
    (connection) => {
      connection
        .stream()
        .on('error', () => undefined)
        .resume()
        .write('a part');
      close(connection);
    },
  ],
];
const peers = ['is silent', 'only reads', 'continues to send'] as const;
const cases = framings.flatMap(([name, framing, end]) =>
  peers.map((peer) => [peer, name, framing, end] as const),
);

describe('a client that stays after the end of the server', () => {
  it.concurrent.each(cases)(
    '%s, on %s, loses its place soon',
    { timeout: 30_000 },
    async (peer, name, framing, end) => {
      let gone!: (closed: unknown) => void;
      const closed = new Promise((resolve) => (gone = resolve));
      const place = { port: 0, host: '127.0.0.1', credentials: world.server, onError: () => undefined };
      await using server = await listen({ ...place, framing }, (connection) => {
        void connection.closed.then(gone);
        end(connection);
      });
      const isKnsock = name === 'knsock';
      const options: ConnectionOptions & { allowHalfOpen: boolean } = {
        port: portOf(server),
        host: '127.0.0.1',
        rejectUnauthorized: false,
        allowHalfOpen: true,
        ...(isKnsock && { ALPNProtocols: ['knsock/1'] }),
      };
      const client = connectTls(options);
      client.on('error', () => undefined);
      await once(client, 'secureConnect');
      const since = performance.now();
      if (isKnsock) client.write(welcome);
      if (peer !== 'is silent') client.resume();
      // A whole message on none of the framings but lines.
      const sending = peer === 'continues to send' ? setInterval(() => client.write('\n'), 200) : undefined;
      await closed;
      clearInterval(sending);
      expect(performance.now() - since).toBeLessThan(MOST);
      expect(server.stats().connections).toBe(0);
      client.destroy();
    },
  );
});
