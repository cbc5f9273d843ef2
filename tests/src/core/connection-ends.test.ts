/** Runs every cell of the table in docs/connections.md, on every framing, with default options. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import {
  knsock,
  lengthPrefixed,
  lines,
  listen,
  raw,
  type Framing,
  type SecureConnection,
} from '@knsock/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { frame, kind, requestFrame, welcome } from '../support/hand-made-peer.js';
import { createWorld, portOf, type World } from '../support/world.js';

const page = readFileSync(new URL('../../../docs/connections.md', import.meta.url), 'utf8');

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** Far below `drainTimeout`, which no case may need; far above what a busy machine takes. */
const SOON = 8_000;

/** The bytes of a message for a hand-written peer. */
interface Spoken {
  readonly framing: Framing;
  readonly message: (text: string) => Buffer;
  readonly request: (text: string) => Buffer;
}

const prefixed = (text: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
};
const line = (text: string): Buffer => Buffer.from(`${text}\n`);
const piece = (text: string): Buffer => Buffer.from(text);

const framings: Record<string, Spoken> = {
  knsock: {
    framing: knsock(),
    message: (text) => frame(kind.message, Buffer.from(text)),
    request: (text) => requestFrame(1, Buffer.from(text)),
  },
  'length-prefixed': { framing: lengthPrefixed(), message: prefixed, request: prefixed },
  lines: { framing: lines(), message: line, request: line },
  raw: { framing: raw(), message: piece, request: piece },
};

/** What a handler of each shape receives. */
interface Stage {
  /** The handler has reached the point where it waits or works. */
  readonly arrived: () => void;
  /** Resolves once the work is allowed to be done. */
  readonly work: Promise<void>;
}

interface Shape {
  readonly handler: (connection: SecureConnection, stage: Stage) => unknown;
  readonly messages?: number;
  readonly asks?: boolean;
}

const drain = async (connection: SecureConnection): Promise<void> => {
  for await (const _ of connection);
};

const shapes: Record<string, Shape> = {
  'returned, with `onMessage` set': {
    handler: (connection, { arrived }) => {
      connection.onMessage(arrived);
    },
  },
  'awaits `closed`': {
    handler: async (connection, { arrived }) => {
      connection.onMessage(arrived);
      await connection.closed;
    },
  },
  'awaits `onDraining`': {
    handler: (connection, { arrived }) => {
      connection.onMessage(arrived);
      return new Promise<void>((resolve) => {
        connection.onDraining(resolve);
      });
    },
  },
  'awaits `signal`': {
    handler: (connection, { arrived }) => {
      connection.onMessage(arrived);
      return once(connection.signal, 'abort');
    },
  },
  'reads to the end, then returns': {
    handler: async (connection, { arrived }) => {
      await connection.receive();
      arrived();
      await drain(connection);
    },
  },
  'reads to the end, then awaits `closed`': {
    handler: async (connection, { arrived }) => {
      await connection.receive();
      arrived();
      await drain(connection).catch(() => undefined);
      await connection.closed;
    },
  },
  'keeps `closed`, reads to the end, then awaits it': {
    handler: async (connection, { arrived }) => {
      const { closed } = connection;
      await connection.receive();
      arrived();
      await drain(connection).catch(() => undefined);
      await closed;
    },
  },
  'reads to the end, works, then sends': {
    handler: async (connection, { arrived, work }) => {
      void connection.closed.then(() => undefined);
      await connection.receive();
      arrived();
      await drain(connection).catch(() => undefined);
      await work;
      await connection.send('done');
    },
  },
  'takes one message, works, then sends': {
    handler: async (connection, { arrived, work }) => {
      await connection.receive();
      arrived();
      await work;
      await connection.send('done');
    },
  },
  'takes one of two messages, then returns': {
    messages: 2,
    handler: async (connection, { arrived }) => {
      await connection.receive();
      arrived();
    },
  },
  'works, with nothing received, then sends': {
    handler: async (connection, { arrived, work }) => {
      arrived();
      await work;
      await connection.send('done');
    },
    messages: 0,
  },
  'only pushes': {
    messages: 0,
    handler: async (connection, { arrived }) => {
      for (;;) {
        await connection.send('tick');
        arrived();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  },
  'only pushes, and takes no message of the peer': {
    handler: async (connection, { arrived }) => {
      for (;;) {
        await connection.send('tick');
        if (connection.stats().heldBytes > 0) arrived();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  },
  'a listener works, then sends': {
    handler: (connection, { arrived, work }) => {
      connection.onMessage(async () => {
        arrived();
        await work;
        await connection.send('done');
      });
    },
  },
  'a listener awaits `closed`': {
    handler: (connection, { arrived }) => {
      connection.onMessage(() => {
        arrived();
        return connection.closed;
      });
    },
  },
  'a request handler works, then answers': {
    asks: true,
    handler: (connection, { arrived, work }) => {
      connection.onRequest(async () => {
        arrived();
        await work;
        return 'done';
      });
    },
  },
  'a request handler awaits `closed`': {
    asks: true,
    handler: (connection, { arrived }) => {
      connection.onRequest(async () => {
        arrived();
        await connection.closed;
        return 'too late';
      });
    },
  },
};

const ways: Record<string, (peer: Peer, name: string) => void> = {
  'the peer ends': ({ tls }, name) => {
    if (name === 'knsock') tls.write(frame(0x0a, Buffer.alloc(0)));
    else tls.end();
  },
  'the peer breaks off': ({ tls }) => {
    tls.end();
  },
  'the peer resets': ({ tcp }) => {
    tcp.resetAndDestroy();
  },
};

interface Peer {
  readonly tcp: Socket;
  readonly tls: TLSSocket;
  readonly received: () => string;
}

async function reach(port: number, name: string): Promise<Peer> {
  const tcp = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
  tcp.on('error', () => undefined);
  const ALPNProtocols = name === 'knsock' ? ['knsock/1'] : undefined;
  const tls = connectTls({ socket: tcp, rejectUnauthorized: false, ...(ALPNProtocols && { ALPNProtocols }) });
  tls.on('error', () => undefined);
  await once(tls, 'secureConnect');
  let received = '';
  tls.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  if (name === 'knsock') {
    while (received === '') await once(tls, 'data');
    tls.write(welcome);
  }
  return { tcp, tls, received: () => received };
}

/** Resolves for all waiting calls, once it is opened. */
function gate(): { wait: Promise<void>; open: () => void } {
  let open!: () => void;
  const wait = new Promise<void>((resolve) => (open = resolve));
  return { wait, open };
}

/** The rows of the first table of the section, as cells without their outer spaces. */
function tableOf(title: string): { head: string[]; rows: string[][] } {
  const section = page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
  const [head = [], , ...rows] = section
    .split('\n')
    .filter((text) => text.startsWith('|'))
    .map((text) =>
      text
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  return { head, rows };
}

const table = tableOf('When the peer ends');

it('has a row for every shape of handler, and a column for every way to end', () => {
  expect(table.rows.map(([shape]) => shape)).toEqual(Object.keys(shapes));
  expect(table.head.slice(1)).toEqual(Object.keys(ways));
});

const cells = Object.keys(framings).flatMap((name) =>
  table.rows.flatMap(([shape = '', ...outcomes]) =>
    outcomes.map((outcome, index) => ({ name, shape, way: table.head[index + 1] ?? '', outcome })),
  ),
);
// Without a frame for the end, being cut off looks like ending.
const told = cells.filter(({ name, way }) => name === 'knsock' || way !== 'the peer breaks off');

describe.each(Object.keys(framings))('on %s', (framing) => {
  it.concurrent.each(told.filter(({ name }) => name === framing))(
    'where a handler $shape and $way, our side ends $outcome',
    async ({ name, shape, way, outcome }) => {
      const { framing: spoken, message, request } = framings[name] as Spoken;
      const { handler, messages = 1, asks = false } = shapes[shape] as Shape;
      const [arrived, work, closed] = [gate(), gate(), gate()];
      let isClosed = false;
      let seen: SecureConnection | undefined;
      const options = { port: 0, host: '127.0.0.1', credentials: world.server, framing: spoken };
      const server = await listen({ ...options, onError: () => undefined }, (connection) => {
        seen = connection;
        connection.socket.once('close', () => {
          isClosed = true;
          closed.open();
        });
        return handler(connection, { arrived: arrived.open, work: work.wait }) as Promise<void>;
      });
      const peer = await reach(portOf(server), name);
      for (let count = 0; count < messages; count += 1) peer.tls.write((asks ? request : message)('hello'));
      await arrived.wait;
      (ways[way] as (peer: Peer, name: string) => void)(peer, name);
      const since = performance.now();
      if (outcome.startsWith('when it is done')) {
        await vi.waitFor(() => expect(seen?.state).toBe('draining'));
        expect(isClosed).toBe(false);
        work.open();
        await closed.wait;
        expect(peer.received()).toContain('done');
      } else {
        await closed.wait;
      }
      expect(performance.now() - since).toBeLessThan(SOON);
      work.open();
      peer.tcp.destroy();
      await server.close({ deadline: 0 });
    },
  );
});
